"""A partner service with adjustable delay, errors and hangs: `python -m loadtests.reference.partner`.

It prints its port when it listens on it, on loopback alone. It parses with llhttp on uvloop, because it shares a
CPU with the load and must cost little.

    GET /partner?delay_ms=20&call=3&status=503&size=1000&hang=1
    GET /broken/partner    half an answer, then the end of the connection
    GET /stats?reset=1     the counts so far
"""

import asyncio
import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

import uvloop
from httptools import HttpParserError, HttpRequestParser, parse_url

HOST = "127.0.0.1"
_HEAD = "HTTP/1.1 {} Partner\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


@dataclass(slots=True)
class CallCounts:
    """Counts since the last reset: calls, the most of them at once, and the connections that were opened."""

    calls: int = 0
    at_once: int = 0
    most_at_once: int = 0
    connections: int = 0

    def begin(self) -> None:
        """One more call is under way."""
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)

    def reset(self) -> None:
        """Begin counting again; calls that are under way stay counted as such."""
        self.calls = self.connections = 0
        self.most_at_once = self.at_once


class Partner(asyncio.Protocol):
    """One connection, on which requests come one after the other."""

    def __init__(self, counts: CallCounts) -> None:
        self._counts = counts
        self._parser = HttpRequestParser(self)
        self._later: asyncio.TimerHandle | None = None
        self._calling = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._counts.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the answer that is under way."""
        if self._later:
            self._later.cancel()
        self._end_call()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; invalid HTTP ends the connection."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """Note the path and the query (called by the parser)."""
        parsed = parse_url(url)
        self._path: bytes = parsed.path
        self._query = dict(parse_qsl((parsed.query or b"").decode("latin-1")))

    def on_message_complete(self) -> None:
        """Answer, now or later (called by the parser)."""
        if self._path == b"/partner":
            self._begin_call()
        elif self._path.startswith(b"/broken"):
            self._transport.write(_HEAD.format(200, 1000).encode() + b'{"partner":')
            self._transport.close()
        elif self._path == b"/stats":
            self._send(200, asdict(self._counts))
            if self._query.get("reset"):
                self._counts.reset()
        else:
            self._send(404, {})

    def _begin_call(self) -> None:
        self._counts.begin()
        self._calling = True
        if not self._query.get("hang"):
            delay_s = int(self._query.get("delay_ms", "0")) / 1000
            self._later = asyncio.get_running_loop().call_later(delay_s, self._answer)

    def _answer(self) -> None:
        self._end_call()
        said: dict[str, Any] = {"partner": "ok", "delay_ms": int(self._query.get("delay_ms", "0"))}
        if "call" in self._query:
            said = {"call": int(self._query["call"]), **said}
        if "size" in self._query:
            said["padding"] = "x" * int(self._query["size"])
        self._send(int(self._query.get("status", "200")), said)

    def _end_call(self) -> None:
        if self._calling:
            self._calling = False
            self._counts.at_once -= 1

    def _send(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said, separators=(",", ":"))
        self._transport.write(f"{_HEAD.format(status, len(body))}{body}".encode())


async def serve(port: int) -> None:
    """Listens until the process ends; port 0 is a free one."""
    counts = CallCounts()
    server = await asyncio.get_running_loop().create_server(lambda: Partner(counts), HOST, port)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Reads the port from the command line and serves."""
    parser = ArgumentParser(
        prog="python -m loadtests.reference.partner", description="A partner service to call."
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, is a free one")
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
