"""Where a round is played: services for the whole run, fresh servers and databases for every round."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from loadtests.contestants import Contestant
from loadtests.errors import ServerError
from loadtests.plan import base_name
from loadtests.servers import Endpoint, cpu_sets, launched
from loadtests.worker import celery_worker
from shared.services import ServiceError, database_copy, partner, seeded_template, services


@dataclass(frozen=True, slots=True)
class Stage:
    """Services that run, a seeded database to copy, and which CPUs are whose."""

    database_url: str
    redis_url: str
    partner_url: str
    template: str
    server_cpus: tuple[int, ...]
    load_cpus: tuple[int, ...]

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
            for one in contestants if with_workers else ():
                if one.needs_database:
                    stack.enter_context(celery_worker(environments[one.name]))
            yield stack.enter_context(launched(contestants, environments, self.server_cpus, ports=ports))

    @contextmanager
    def _environment(self, contestant: Contestant) -> Iterator[dict[str, str]]:
        """What a server is told; its database and its folder last as long as the block."""
        with tempfile.TemporaryDirectory(prefix="sidebyside-") as folder, ExitStack() as stack:
            environment = {
                "SERVER_NAME": contestant.name,
                "REDIS_URL": self.redis_url,
                "UPSTREAM_URL": self.partner_url,
                "MEDIA_DIR": folder,
                "SHOP_ENV": "development",
            }
            if contestant.needs_database:
                copy = database_copy(self.database_url, self.template)
                environment["DATABASE_URL"] = stack.enter_context(copy)
            yield environment


@contextmanager
def stage(seed: int) -> Iterator[Stage]:
    """PostgreSQL, Redis and the partner on the load's CPUs while the block lasts; ServerError when one can't be had."""
    server_cpus, load_cpus = cpu_sets(sorted(os.sched_getaffinity(0)))
    try:
        with (
            services(cpus=load_cpus) as running,
            partner(cpus=load_cpus) as partner_url,
            seeded_template(running.database_url, seed) as template,
        ):
            yield Stage(
                running.database_url, running.redis_url, partner_url, template, server_cpus, load_cpus
            )
    except ServiceError as error:
        raise ServerError(str(error)) from error


def named(names: Sequence[str], known: Mapping[str, Contestant]) -> tuple[Contestant, ...]:
    """The contestants by these names; a twin such as `flask-gthread#2` is its original under that name."""
    return tuple(replace(known[base_name(name)], name=name) for name in names)
