"""What a thousand idle WebSockets cost: memory of a server with none of them and with all of them open.

Run as `make idle-sockets`. Each socket is subscribed to stock changes and hears of one before it is counted. Exit
status 1 when they cost 100 MiB or more in either app.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx2
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request

from loadtests.config.contestants import load_contestants
from loadtests.config.fields import admin_header
from loadtests.config.selection import CATALOG
from loadtests.machine.environment import open_environment
from loadtests.machine.limits import raise_open_files
from loadtests.machine.meters import ProcessTree
from loadtests.machine.servers import Endpoint

SOCKETS = 1000
LIMIT_MIB = 100.0
WITHIN_S = 30.0
SUBSCRIPTION = Request(host="sidebyside", target="/ws/items?item_id=1")
# The servers that carry many at once: gunicorn's gthread would need a thread for each.
CONTESTANTS = ("flask-gevent", "fastapi-uvicorn")


@contextmanager
def open_sockets(endpoint: Endpoint, count: int) -> Iterator[list[socket.socket]]:
    """That many sockets, all of them subscribed, as long as the block lasts."""
    with ExitStack() as opened:
        sockets = []
        for _ in range(count):
            address = (endpoint.host, endpoint.port)
            one = opened.enter_context(socket.create_connection(address, WITHIN_S))
            one.sendall(WSConnection(ConnectionType.CLIENT).send(SUBSCRIPTION))
            sockets.append(one)
        for one in sockets:
            if not _line_after(one, b"\r\n\r\n").startswith(b"HTTP/1.1 101 "):
                raise ConnectionRefusedError(f"{endpoint.name} refused a socket")
        yield sockets


def _line_after(one: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        piece = one.recv(4096)
        if not piece:
            raise ConnectionResetError("a socket was closed")
        data += piece
    return data


def tell_all(endpoint: Endpoint, sockets: list[socket.socket], stock: int) -> None:
    """Changes an item's stock, and waits until every socket has received it."""
    url = f"http://{endpoint.host}:{endpoint.port}/api/items/1"
    httpx2.patch(url, json={"stock": stock}, headers=admin_header(), timeout=WITHIN_S).raise_for_status()
    for one in sockets:
        _line_after(one, f'"stock":{stock}}}'.encode())


def cost_mib(endpoint: Endpoint, count: int) -> float:
    """What `count` sockets cost a server that is warm."""
    with open_sockets(endpoint, 10) as few:
        tell_all(endpoint, few, 1)
    tree = ProcessTree(endpoint.pid)
    before_kib = tree.pss_kib()
    with open_sockets(endpoint, count) as sockets:
        tell_all(endpoint, sockets, 2)
        after_kib = tree.pss_kib()
    if before_kib is None or after_kib is None:
        raise OSError(f"the memory of {endpoint.name} can't be read")
    return (after_kib - before_kib) / 1024


def main() -> int:
    """Prints one line per server; gives the exit status."""
    if (files := raise_open_files(2 * SOCKETS)) < 2 * SOCKETS:
        sys.exit(
            f"{SOCKETS} WebSockets need {2 * SOCKETS} open files, {files} are allowed; raise `ulimit -Hn`"
        )
    known = load_contestants(CATALOG)
    costs = {}
    with open_environment(seed=0) as environment:
        for name in CONTESTANTS:
            with environment.servers([known[name]]) as endpoints:
                costs[name] = cost_mib(endpoints[name], SOCKETS)
                sys.stdout.write(f"{name}: {SOCKETS} idle WebSockets cost {costs[name]:.1f} MiB\n")
    return int(max(costs.values()) >= LIMIT_MIB)


if __name__ == "__main__":
    sys.exit(main())
