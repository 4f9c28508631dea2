"""PostgreSQL and Redis, embedded ones from wheels or those that the user's URLs name, and the partner service."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtests.machine.embedded_postgres import embedded_postgres
from loadtests.machine.embedded_redis import embedded_redis
from loadtests.machine.ports import HOST
from loadtests.machine.processes import Program, await_ready, running
from loadtests.machine.reachable import reach_postgres, reach_redis


@dataclass(frozen=True, slots=True)
class Services:
    """Where database and cache answer, and the process ids of those started here; None for the user's own."""

    database_url: str
    redis_url: str
    database_pid: int | None = None
    redis_pid: int | None = None


@contextmanager
def services(environment: Mapping[str, str] = os.environ, cpus: Sequence[int] = ()) -> Iterator[Services]:
    """PostgreSQL and Redis while the block lasts, pinned to `cpus` if any; raises ServerError.

    DATABASE_URL and REDIS_URL are used when set; they are reached for before anything is started.
    """
    database_url, redis_url = environment.get("DATABASE_URL"), environment.get("REDIS_URL")
    if database_url:
        reach_postgres(database_url)
    if redis_url:
        reach_redis(redis_url)
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="sidebyside-", ignore_cleanup_errors=True))
        )
        folder.chmod(0o755)  # PostgreSQL runs as another user when this is root
        database_pid = redis_pid = None
        if not database_url:
            database_url, database_pid = stack.enter_context(embedded_postgres(folder, cpus))
        if not redis_url:
            redis_url, redis_pid = stack.enter_context(embedded_redis(folder, cpus))
        yield Services(database_url, redis_url, database_pid, redis_pid)


@contextmanager
def partner(cpus: Sequence[int] = ()) -> Iterator[tuple[str, int]]:
    """The URL and the process id of a partner service (loadtests/reference/partner.py) while the block lasts.

    It is pinned to `cpus` if any. UPSTREAM_URL names it to an app. Raises ServerError.
    """
    argv = (sys.executable, "-m", "loadtests.reference.partner")
    with running(Program("the partner service", argv, tuple(cpus))) as child:
        await_ready({child: child.has_written})
        yield f"http://{HOST}:{int(child.log.read_text())}", child.pid
