"""Where a round is played: services for the whole run, fresh servers and databases for every round."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from loadtests.config.contestants import Contestant
from loadtests.errors import ServerError
from loadtests.machine.servers import Endpoint, cpu_sets, launched
from loadtests.plan.rounds import base_name


@dataclass(frozen=True, slots=True)
class Grounds:
    """What servers stand on: where the services answer, and the name of the seeded database to copy."""

    database_url: str
    redis_url: str
    partner_url: str
    template: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Services that run, or None if no server needs them, and which CPUs are whose."""

    grounds: Grounds | None
    server_cpus: tuple[int, ...]
    load_cpus: tuple[int, ...]

    @property
    def database_url(self) -> str | None:
        """Where the database answers, if there is one."""
        return self.grounds.database_url if self.grounds else None

    @contextmanager
    def servers(
        self,
        contestants: Sequence[Contestant],
        *,
        ports: Mapping[str, int] | None = None,
        with_workers: bool = False,
    ) -> Iterator[dict[str, Endpoint]]:
        """All contestants up and answering, each on its own copy of the seeded database, with a folder of its own.

        with_workers: beside each of them runs a Celery worker.
        """
        with ExitStack() as stack:
            environments = {one.name: stack.enter_context(self._environment(one)) for one in contestants}
            if with_workers:
                from loadtests.machine.celery_worker import celery_worker  # noqa: PLC0415  Celery takes long to import

                for one in contestants:
                    if one.needs_database:
                        stack.enter_context(celery_worker(environments[one.name]))
            yield stack.enter_context(launched(contestants, environments, self.server_cpus, ports=ports))

    @contextmanager
    def _environment(self, contestant: Contestant) -> Iterator[dict[str, str]]:
        """What a server is told; its database and its folder last as long as the block."""
        told = {"SERVER_NAME": contestant.name, "SHOP_ENV": "development"}
        if not contestant.needs_database:
            yield told
            return
        if self.grounds is None:
            raise ServerError(f"{contestant.name} needs a database, and this stage was set without one")
        from loadtests.machine.services import database_copy  # noqa: PLC0415

        copy = database_copy(self.grounds.database_url, self.grounds.template)
        with tempfile.TemporaryDirectory(prefix="sidebyside-") as folder, copy as database_url:
            yield told | {
                "DATABASE_URL": database_url,
                "REDIS_URL": self.grounds.redis_url,
                "UPSTREAM_URL": self.grounds.partner_url,
                "MEDIA_DIR": folder,
            }


@contextmanager
def stage(seed: int, *, needs_database: bool = True) -> Iterator[Stage]:
    """A stage while the block lasts, its services on the load's CPUs; ServerError when one can't be had.

    needs_database: False if no server will be launched that needs one; then no service is started.
    """
    server_cpus, load_cpus = cpu_sets(sorted(os.sched_getaffinity(0)))
    if not needs_database:
        yield Stage(None, server_cpus, load_cpus)
        return
    # What databases need takes long to import, and not every command starts one.
    from loadtests.machine.services import ServiceError, partner, seeded_template, services  # noqa: PLC0415

    try:
        with (
            services(cpus=load_cpus) as running,
            partner(cpus=load_cpus) as partner_url,
            seeded_template(running.database_url, seed) as template,
        ):
            grounds = Grounds(running.database_url, running.redis_url, partner_url, template)
            yield Stage(grounds, server_cpus, load_cpus)
    except ServiceError as error:
        raise ServerError(str(error)) from error


def named(names: Sequence[str], known: Mapping[str, Contestant]) -> tuple[Contestant, ...]:
    """The contestants by these names; a twin such as `flask-gthread#2` is its original under that name."""
    return tuple(replace(known[base_name(name)], name=name) for name in names)
