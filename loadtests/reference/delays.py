"""A server that answers `/delay/MS` after MS milliseconds, and stamps how long it really took.

Run as `python -m loadtests.reference.delays PORT`. `/burner/stamps` gives the stamps since the last time: a list of
[received, answered], in nanoseconds of CLOCK_MONOTONIC. A bare protocol, so that little happens outside the stamps.
"""

import asyncio
import json
import sys
from time import monotonic_ns
from typing import Any

import uvloop

from loadtests.reference.burner import STAMPS

stamps: list[tuple[int, int]] = []


class Delaying(asyncio.Protocol):
    """One connection; a request must come in one piece, as those of the load generator do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport: Any = transport  # of uvloop, which leaves it untyped

    def data_received(self, data: bytes) -> None:
        """Answer at once, or as much later as the path says."""
        received_ns = monotonic_ns()
        path = data.split(b" ", 2)[1].decode()
        if path.startswith("/delay/"):
            delay_s = int(path.removeprefix("/delay/")) / 1000
            asyncio.get_running_loop().call_later(delay_s, self._answer_delayed, received_ns)
        elif path == STAMPS:
            body = json.dumps(stamps).encode()
            stamps.clear()
            self._answer(body)
        else:
            self._answer(b"{}")

    def _answer_delayed(self, received_ns: int) -> None:
        stamps.append((received_ns, monotonic_ns()))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def main(port: int) -> None:
    """Serve on loopback until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Delaying, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
