"""Where servers run: services for the whole run, fresh servers and databases for every round."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from loadtests.config.contestants import Contestant
from loadtests.errors import ServerError
from loadtests.machine.cpus import CpuSets, own_cpu_sets
from loadtests.machine.meters import Metered
from loadtests.machine.processes import STOP_S
from loadtests.machine.servers import Endpoint, launched


@dataclass(frozen=True, slots=True)
class BackingServices:
    """Where database, cache and partner answer, and the name of the seeded database to copy.

    The process ids are those of services that were started here; None for the user's own.
    """

    database_url: str
    redis_url: str
    partner_url: str
    template: str
    database_pid: int | None
    redis_pid: int | None
    partner_pid: int


@dataclass(frozen=True, slots=True)
class Environment:
    """Services that run, or None if no server needs them, and the CPUs of servers, load and services."""

    services: BackingServices | None
    cpus: CpuSets

    @property
    def load_cpus(self) -> tuple[int, ...]:
        """The CPUs of the load generator."""
        return self.cpus.load

    @property
    def metered(self) -> Metered:
        """What is to be read beside each server: the load's CPUs are those of generator and services."""
        cpus = self.cpus.servers, tuple(sorted({*self.cpus.load, *self.cpus.services}))
        if self.services is None:
            return Metered(None, None, None, *cpus)
        return Metered(self.services.database_pid, self.services.redis_pid, self.services.partner_pid, *cpus)

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
        stop_s: float = STOP_S,
    ) -> Iterator[dict[str, Endpoint]]:
        """All contestants up and answering, each on its own copy of the seeded database, with a folder of its own.

        with_workers: each of them gets a Celery worker. stop_s: how long they may take to end before they are killed.
        """
        with ExitStack() as stack:
            variables = {one.name: stack.enter_context(self._variables(one)) for one in contestants}
            if with_workers:
                from loadtests.machine.celery_worker import celery_worker  # noqa: PLC0415  Celery takes long to import

                for one in contestants:
                    if one.needs_database:
                        stack.enter_context(celery_worker(variables[one.name]))
            yield stack.enter_context(
                launched(contestants, variables, self.cpus.servers, ports=ports, stop_s=stop_s)
            )

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
    """An environment while the block lasts, its services pinned; ServerError when one can't be started.

    needs_database: False if no server will be launched that needs one; then no service is started.
    """
    cpus = own_cpu_sets()
    if not needs_database:
        yield Environment(None, cpus)
        return
    # What databases need takes long to import, and not every command starts one.
    from loadtests.machine.databases import seeded_template  # noqa: PLC0415
    from loadtests.machine.services import partner, services  # noqa: PLC0415

    with (
        services(cpus=cpus.services) as running,
        partner(cpus=cpus.services) as (partner_url, partner_pid),
        seeded_template(running.database_url, seed) as template,
    ):
        urls = running.database_url, running.redis_url, partner_url, template
        yield Environment(BackingServices(*urls, running.database_pid, running.redis_pid, partner_pid), cpus)
