"""WebSocket frames (RFC 6455, section 5.2) as a client sends and reads them: bytes in, bytes out."""

from typing import Any

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
SHORT_MAX, MEDIUM_MAX = 125, 0xFFFF
MASKED, FINAL = 0x80, 0x80


def frame(opcode: int, payload: bytes, key: bytes) -> bytes:
    """A whole message in one frame, masked with a key of four bytes, as clients must."""
    length = len(payload)
    if length <= SHORT_MAX:
        size = bytes([MASKED | length])
    elif length <= MEDIUM_MAX:
        size = bytes([MASKED | 126]) + length.to_bytes(2)
    else:
        size = bytes([MASKED | 127]) + length.to_bytes(8)
    return bytes([FINAL | opcode]) + size + key + masked(payload, key)


def masked(payload: bytes, key: bytes) -> bytes:
    """The payload XOR the key, over and over; done twice it is the payload again."""
    length = len(payload)
    stream = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(payload) ^ int.from_bytes(stream)).to_bytes(length)


def handshake(path: str) -> bytes:
    """What a connection is made a WebSocket with. Nothing is negotiated: no compression."""
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: sidebyside",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: c2lkZWJ5c2lkZS1sb2FkIQ==",  # 16 bytes; it guards against caches, and there are none
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


class FrameParser:
    """Reads a server's frames, and speaks of messages as llhttp does of answers; each counts as 200.

    pongs: what is to be sent back for the pings that came. Raises ConnectionResetError when the server says goodbye,
    and ValueError for what is no frame of a server.
    """

    def __init__(self, reader: Any) -> None:
        self.pongs: list[bytes] = []
        self._reader = reader
        self._data = b""

    def feed_data(self, data: bytes) -> None:
        """Takes bytes as they come; the reader's `on_body` and `on_message_complete` are called."""
        self._data += data
        while (end := self._end()) <= len(self._data) and self._data:
            start = self._start()
            self._take(self._data[0], self._data[start:end])
            self._data = self._data[end:]

    def get_status_code(self) -> int:
        """A message that is whole is a success."""
        return 200

    def should_keep_alive(self) -> bool:
        """The socket carries the next message too."""
        return True

    def _start(self) -> int:
        """Where the payload of the first frame begins."""
        size = self._data[1]
        if size & MASKED:
            raise ValueError("a server's frames are not masked")
        return {126: 4, 127: 10}.get(size, 2)

    def _end(self) -> int:
        """Where the first frame ends, as far as can be said yet."""
        if len(self._data) < 2:
            return 2
        start = self._start()
        if len(self._data) < start:
            return start + 1
        return start + (int.from_bytes(self._data[2:start]) if start > 2 else self._data[1])

    def _take(self, first: int, payload: bytes) -> None:
        opcode = first & 0x0F
        if opcode == CLOSE:
            raise ConnectionResetError("the server closed the socket")
        if opcode == PING:
            self.pongs.append(frame(PONG, payload, bytes(4)))
        elif opcode in {CONTINUATION, TEXT, BINARY}:
            self._reader.on_body(payload)
            if first & FINAL:
                self._reader.on_message_complete()
        elif opcode != PONG:
            raise ValueError(f"no frame has the opcode {opcode}")
