"""Where a round is played: PostgreSQL and Redis for the whole run, fresh servers and databases for every round."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from loadtests.contestants import Contestant
from loadtests.errors import ServerError
from loadtests.plan import base_name
from loadtests.servers import Endpoint, cpu_sets, launched
from shared.services import ServiceError, database_copy, seeded_template, services


@dataclass(frozen=True, slots=True)
class Stage:
    """Services that run, a seeded database to copy, and which CPUs are whose."""

    database_url: str
    redis_url: str
    template: str
    server_cpus: tuple[int, ...]
    load_cpus: tuple[int, ...]

    @contextmanager
    def servers(
        self, contestants: Sequence[Contestant], *, ports: Mapping[str, int] | None = None
    ) -> Iterator[dict[str, Endpoint]]:
        """All contestants up and answering, each on its own copy of the seeded database."""
        with ExitStack() as stack:
            environments = {}
            for one in contestants:
                environments[one.name] = {
                    "SERVER_NAME": one.name,
                    "REDIS_URL": self.redis_url,
                    "SHOP_ENV": "development",
                }
                if one.needs_database:
                    url = stack.enter_context(database_copy(self.database_url, self.template))
                    environments[one.name]["DATABASE_URL"] = url
            yield stack.enter_context(launched(contestants, environments, self.server_cpus, ports=ports))


@contextmanager
def stage(seed: int) -> Iterator[Stage]:
    """PostgreSQL and Redis on the load's CPUs while the block lasts; ServerError when one can't be had."""
    server_cpus, load_cpus = cpu_sets(sorted(os.sched_getaffinity(0)))
    try:
        with services(cpus=load_cpus) as running, seeded_template(running.database_url, seed) as template:
            yield Stage(running.database_url, running.redis_url, template, server_cpus, load_cpus)
    except ServiceError as error:
        raise ServerError(str(error)) from error


def named(names: Sequence[str], known: Mapping[str, Contestant]) -> tuple[Contestant, ...]:
    """The contestants by these names; a twin such as `flask-gthread#2` is its original under that name."""
    return tuple(replace(known[base_name(name)], name=name) for name in names)
