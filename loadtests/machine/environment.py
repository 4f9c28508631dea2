"""Where servers run: services for the whole run, fresh servers and databases for every round."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from loadtests.config.contestants import Contestant
from loadtests.errors import ServerError
from loadtests.machine.cpus import cpu_sets
from loadtests.machine.servers import Endpoint, launched


@dataclass(frozen=True, slots=True)
class BackingServices:
    """Where database, cache and partner answer, and the name of the seeded database to copy."""

    database_url: str
    redis_url: str
    partner_url: str
    template: str


@dataclass(frozen=True, slots=True)
class Environment:
    """Services that run, or None if no server needs them, and the CPUs of servers and load."""

    services: BackingServices | None
    server_cpus: tuple[int, ...]
    load_cpus: tuple[int, ...]

    @property
    def database_url(self) -> str | None:
        """Where the database answers, if there is one."""
        return self.services.database_url if self.services else None

    @contextmanager
    def servers(
        self,
        contestants: Sequence[Contestant],
        *,
        ports: Mapping[str, int] | None = None,
        with_workers: bool = False,
    ) -> Iterator[dict[str, Endpoint]]:
        """All contestants up and answering, each on its own copy of the seeded database, with a folder of its own.

        with_workers: each of them gets a Celery worker.
        """
        with ExitStack() as stack:
            variables = {one.name: stack.enter_context(self._variables(one)) for one in contestants}
            if with_workers:
                from loadtests.machine.celery_worker import celery_worker  # noqa: PLC0415  Celery takes long to import

                for one in contestants:
                    if one.needs_database:
                        stack.enter_context(celery_worker(variables[one.name]))
            yield stack.enter_context(launched(contestants, variables, self.server_cpus, ports=ports))

    @contextmanager
    def _variables(self, contestant: Contestant) -> Iterator[dict[str, str]]:
        """The environment variables of a server; its database and its folder last as long as the block."""
        given = {"SERVER_NAME": contestant.name, "SHOP_ENV": "development"}
        if not contestant.needs_database:
            yield given
            return
        if self.services is None:
            raise ServerError(
                f"{contestant.name} needs a database, but this environment was opened without one"
            )
        from loadtests.machine.databases import database_copy  # noqa: PLC0415

        copy = database_copy(self.services.database_url, self.services.template)
        with tempfile.TemporaryDirectory(prefix="sidebyside-") as folder, copy as database_url:
            yield given | {
                "DATABASE_URL": database_url,
                "REDIS_URL": self.services.redis_url,
                "UPSTREAM_URL": self.services.partner_url,
                "MEDIA_DIR": folder,
            }


@contextmanager
def open_environment(seed: int, *, needs_database: bool = True) -> Iterator[Environment]:
    """An environment while the block lasts, its services on the load's CPUs; ServerError when one can't be started.

    needs_database: False if no server will be launched that needs one; then no service is started.
    """
    server_cpus, load_cpus = cpu_sets(sorted(os.sched_getaffinity(0)))
    if not needs_database:
        yield Environment(None, server_cpus, load_cpus)
        return
    # What databases need takes long to import, and not every command starts one.
    from loadtests.machine.databases import seeded_template  # noqa: PLC0415
    from loadtests.machine.services import partner, services  # noqa: PLC0415

    with (
        services(cpus=load_cpus) as running,
        partner(cpus=load_cpus) as partner_url,
        seeded_template(running.database_url, seed) as template,
    ):
        backing = BackingServices(running.database_url, running.redis_url, partner_url, template)
        yield Environment(backing, server_cpus, load_cpus)
