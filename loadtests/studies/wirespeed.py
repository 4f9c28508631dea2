"""How much load one core can make: Locust's two HTTP users against the wire client inside a Locust user.

Run as `make wirespeed`. All load the same responder, which answers a canned page on a CPU of its own. Every slice is a
Locust process of its own on the load CPUs, and the kinds of user take turns, so that noise hits them alike.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from loadtests.config.contestants import Contestant
from loadtests.machine.cpus import own_cpu_sets
from loadtests.machine.processes import output_of
from loadtests.machine.servers import Endpoint, launched

TURNS = 7
USERS = "16"
KINDS = {"HttpUser": "RequestsUser", "FastHttpUser": "GeventHttpUser", "wire client": "WireUser"}
BASE = "FastHttpUser"
LOCUST_FILE = Path(__file__).with_name("wirespeed_users.py")
CANNED = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{"message":"pong"}'
RESPONDER = Contestant(
    name="responder",
    title="Canned answers",
    framework="raw",
    gateway="asgi",
    command=("{python}", "-m", "loadtests.studies.wirespeed", "respond", "{port}"),
    environment={},
    keep_alive=True,
    scenarios=None,
    needs_database=False,
)


@dataclass(frozen=True, slots=True)
class Speed:
    """What one slice reached: answers a second, of wall time and of the load process's CPU time."""

    per_s: float
    per_cpu_s: float


class Responder(asyncio.Protocol):
    """Answers whatever arrives in one piece with the canned page: requests here are far smaller than a read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._transport.write(CANNED)  # type: ignore[attr-defined]


def measure(turns: int) -> dict[str, list[Speed]]:
    """The speeds of every kind of user, one per turn."""
    cpus = own_cpu_sets()
    speeds: dict[str, list[Speed]] = {kind: [] for kind in KINDS}
    with launched([RESPONDER], {}, cpus.servers) as endpoints:
        for _ in range(turns):
            for kind, user in KINDS.items():
                speeds[kind].append(_slice(user, endpoints[RESPONDER.name], cpus.load))
    return speeds


def table(speeds: Mapping[str, Sequence[Speed]]) -> str:
    """The medians as text, and the median over the turns of each ratio to FastHttpUser."""
    lines = [
        f"{'user':<14}{'requests/s':>12}{'requests/CPU-s':>16}{'x ' + BASE:>18}{'the same per CPU-s':>20}"
    ]
    for kind, own in speeds.items():
        pairs = list(zip(own, speeds[BASE], strict=True))
        lines.append(
            f"{kind:<14}{median(one.per_s for one in own):>12,.0f}{median(one.per_cpu_s for one in own):>16,.0f}"
            f"{median(a.per_s / b.per_s for a, b in pairs):>18.2f}"
            f"{median(a.per_cpu_s / b.per_cpu_s for a, b in pairs):>20.2f}"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table; `respond PORT` is the responder that it starts."""
    match sys.argv[1:]:
        case ["respond", port]:
            uvloop.run(_respond(int(port)))
        case [turns]:
            sys.stdout.write(table(measure(int(turns))))
        case _:
            sys.stdout.write(table(measure(TURNS)))


def _slice(user: str, endpoint: Endpoint, cpus: Sequence[int]) -> Speed:
    url = f"http://{endpoint.host}:{endpoint.port}"
    locust = [sys.executable, "-m", "locust", "-f", str(LOCUST_FILE), "--headless", "--only-summary"]
    seen = json.loads(
        output_of([*locust, "-L", "ERROR", "-u", USERS, "-r", USERS, "--host", url, user], cpus)
    )
    return Speed(seen["answered"] / seen["wall_s"], seen["answered"] / seen["cpu_s"])


async def _respond(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    main()
