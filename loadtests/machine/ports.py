"""Ports on loopback that servers are given."""

import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import psutil

from loadtests.errors import ServerError

HOST = "127.0.0.1"


def free_ports(names: Sequence[str], given: Mapping[str, int]) -> dict[str, int]:
    """A port for each name, those given or free ones; ServerError when a given one is taken.

    All are held at once while they are picked, so that no two are the same.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(_hold(given.get(name, 0))) for name in names]
        return {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}


def listeners(port: int) -> frozenset[int]:
    """The processes that accept connections on a port, as far as the kernel shows them to this user."""
    return frozenset(
        one.pid
        for one in psutil.net_connections("tcp4")
        if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (port,) and one.pid is not None
    )


def _hold(port: int) -> socket.socket:
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
    except OSError as error:
        held.close()
        raise ServerError(f"port {port} cannot be used ({error.strerror}); choose another") from error
    return held
