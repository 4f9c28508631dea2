"""What servers of known cost stamp: read from each of them before and after a round."""

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

from loadtests.machine.servers import Endpoint


class Stamp(Protocol):
    """What a server has counted so far."""

    def since(self, before: Self) -> Self:
        """The difference."""


AnyStamp = TypeVar("AnyStamp", bound=Stamp)


class StampLog(Generic[AnyStamp]):
    """Collects the stamps of every round, read before and after it; `rounds` has a stamp per server, round by round."""

    def __init__(self, read_one: Callable[[Endpoint], AnyStamp]) -> None:
        self._read_one = read_one
        self._open: dict[str, AnyStamp] = {}
        self.rounds: list[Mapping[str, AnyStamp]] = []

    def read(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Read all servers' stamps; the second reading of a round closes it."""
        now = {name: self._read_one(endpoint) for name, endpoint in endpoints.items()}
        if self._open:
            self.rounds.append({name: now[name].since(before) for name, before in self._open.items()})
            self._open = {}
        else:
            self._open = now


def read_json(endpoint: Endpoint, path: str) -> Any:
    """What a server answers there, decoded."""
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=10)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
