"""WebSockets, by flask-sock: an echo, and stock changes as they happen.

They need a server that hands over the connection: gunicorn does, granian's WSGI has none to give. Each socket holds a
thread of gunicorn's pool and has another one to read from it; under gevent both are greenlets.
"""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from socket import SHUT_RDWR, SHUT_WR
from time import monotonic
from typing import Any, NoReturn

from flask import Blueprint, Flask, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server

from flask_app.resources import Resources, shop
from shared.ops.draining import draining
from shared.shop import stock
from shared.shop.errors import NotFound, Unavailable
from shared.shop.stock import Ended

PING_S = 20.0  # as uvicorn does
SEND_WITHIN_S = 10.0
CLOSE_WITHIN_S = 1.0

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
bp = Blueprint("sockets", __name__, url_prefix="/ws")
sock = Sock()

Handler = Callable[[Server], int]

_LEAVE = object()  # put among a socket's messages when the process is about to stop
_open: set[Server] = set()


def leave_all() -> None:
    """Has the handlers of all sockets say goodbye."""
    for ws in tuple(_open):
        ws.input_buffer.append(_LEAVE)
        ws.event.set()


class ReaderThread(threading.Thread):
    """Reads from one socket; keeps no process from ending."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest, daemon=True)


class WholeSocket:
    """A connection that sends all it is given, and whose closing lets the other side read what was sent last.

    simple-websocket calls `send`, which under gevent may send a part, and closes while the client is still sending,
    upon which the kernel would throw the reason away (RST).
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        connection.settimeout(SEND_WITHIN_S)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def send(self, data: bytes) -> int:
        """Sends all of it; raises OSError when the other side does not take it in time."""
        self._connection.sendall(data)
        return len(data)

    def close(self) -> None:
        """Says that nothing more will come, reads what is still under way, and closes."""
        give_up_s = monotonic() + CLOSE_WITHIN_S
        with suppress(OSError):
            self._connection.shutdown(SHUT_WR)
            self._connection.settimeout(CLOSE_WITHIN_S)
            while monotonic() < give_up_s and self._connection.recv(65536):
                pass
        self._connection.close()


def init_app(app: Flask, resources: Resources) -> None:
    """Pings idle sockets, and refuses messages that are too big before they are in memory."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_S,
        "max_message_size": stock.MESSAGE_MAX_BYTES,
        "thread_class": ReaderThread,
    }
    app.register_blueprint(bp)
    if resources.settings.drain_s is not None:
        draining.then(leave_all)


@bp.before_request
def hand_over() -> None:
    """Wraps the connection. Compression is not offered: its window would cost each socket more than all the rest.

    What is no handshake of RFC 6455 is refused here: simple-websocket would fail on it.
    """
    headers = request.headers
    if (
        request.method != "GET"
        or headers.get("Sec-WebSocket-Version") != "13"
        or not _KEY.fullmatch(headers.get("Sec-WebSocket-Key", ""))
    ):
        raise NotFound("There is nothing at this path.")
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        raise NotFound("This server carries no WebSockets.")
    request.environ["gunicorn.socket"] = WholeSocket(connection)
    request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)


@bp.route("/<path:_path>", methods=METHODS, provide_automatic_options=False)
def refuse(_path: str) -> NoReturn:
    """What asks for no WebSocket finds nothing here, whatever its method."""
    raise NotFound("There is nothing at this path.")


def _closing(handle: Handler) -> Callable[[Server], None]:
    """Closes the socket with the code that the handler returns, unless the other side did so first."""

    @wraps(handle)
    def handled(ws: Server) -> None:
        _open.add(ws)
        try:
            ws.close(handle(ws))
            ws.thread.join(CLOSE_WITHIN_S)  # until the client has agreed
        except (ConnectionClosed, OSError):
            pass
        finally:
            _open.discard(ws)
        with suppress(OSError):
            ws.sock.shutdown(SHUT_RDWR)  # wakes the reader

    return handled


@sock.route("/echo", bp=bp)  # type: ignore[untyped-decorator]  # flask-sock has no types
@_closing
def echo(ws: Server) -> int:
    """Echoes every message; each counts as a request."""
    count = shop().request_counter.add
    while True:
        message = ws.receive()
        if message is _LEAVE:
            return stock.GOING_AWAY
        if stock.too_big(message):
            return stock.TOO_BIG
        count()
        ws.send(message)


@sock.route("/items", bp=bp)  # type: ignore[untyped-decorator]
@_closing
def push_items(ws: Server) -> int:
    """Stock changes as JSON text, of one item (`?item_id=`) or of all. What the client says is not listened to."""
    try:
        wanted = stock.wanted_item(request.args.getlist("item_id"))
        with shop().feed.subscribed(wanted, ws.event.set) as box:
            while ws.connected:
                ws.event.wait()
                ws.event.clear()
                ws.input_buffer.clear()
                for line in box.take():
                    ws.send(line)
    except ValueError:
        return stock.NOT_ACCEPTABLE
    except Unavailable:
        return stock.TRY_AGAIN
    except Ended as end:
        return end.code
    raise ConnectionClosed(ws.close_reason)
