"""A small HTTP server with one fault: `python tests/support/broken.py PORT FAULT`. It answers what bare servers do.

Faults show on /api/probe/ping alone, so that the server starts, and counts, like a sound one.
"""

import asyncio
import sys
from itertools import count

PING, COUNT, HEALTH = b"/api/probe/ping", b"/api/probe/requests", b"/healthz"
EVERY = 25  # the request that a fault hits, where it does not hit each

SOUND = "sound"
CLOSES = "closes"
DROPS = "drops"
TRUNCATES = "truncates"
HANGS = "hangs"
FAILS = "fails"
LONGER = "longer"
COUNTS_TWICE = "counts-twice"
FORGETS = "forgets"
LIES = "lies"
LACKS_KEYS = "lacks-keys"


class Broken(asyncio.Protocol):
    """One connection; requests come one at a time and without a body."""

    counted = 0
    pings = count(1)
    fault = SOUND

    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            path, self.received = self.received.split(b" ", 2)[1], b""
            self.answer(path)

    def answer(self, path: bytes) -> None:
        if path == PING:
            self.answer_ping(hit=next(Broken.pings) % EVERY == 0)
        else:
            Broken.counted += 1
            counts = path == COUNT and self.fault != LACKS_KEYS  # as a server that isn't the shop's
            self.send(b'{"requests":%d}' % Broken.counted if counts else b'{"status":"ok"}')

    def answer_ping(self, *, hit: bool) -> None:
        Broken.counted += {COUNTS_TWICE: 2, FORGETS: 0}.get(self.fault, 1)
        if hit and self.fault == HANGS:
            return
        if hit and self.fault == DROPS:
            self.transport.close()
        elif hit and self.fault == TRUNCATES:
            self.send(b'{"message":"po', length=18, close=True)
        elif hit and self.fault == FAILS:
            self.send(b'{"message":"no"}', status=b"500 Internal Server Error")
        else:
            body = {LIES: b'{"message":"pang"}', LACKS_KEYS: b'{"massage":"pong"}'}.get(
                self.fault, b'{"message":"pong"}'
            ) + b" " * (self.fault == LONGER)
            self.send(body, close=self.fault == CLOSES)

    def send(
        self, body: bytes, *, status: bytes = b"200 OK", length: int | None = None, close: bool = False
    ) -> None:
        size = len(body) if length is None else length
        end = b"Connection: close\r\n" if close else b""
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
        self.transport.write(head % (status, size, end) + body)
        if close:
            self.transport.close()


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Broken, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    Broken.fault = sys.argv[2]
    asyncio.run(serve(int(sys.argv[1])))
