"""Sends prepared requests to an app in its own process: WSGI by an environ, ASGI by a scope, without a socket.

`loadtests.studies.instructions` runs this file by its path, under callgrind. It imports the app and nothing else of the
project, so the app may be another checkout's: `python -P in_process.py flask_app.main:app BATCHES`. BATCHES is a JSON
file: a list of batches, each a list of [request as it would be on the wire, status]; the first batch is the warm-up.
After it, `warm` is printed and a line is awaited; at the end the last answer of every batch is printed as JSON.
"""

import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import iscoroutinefunction
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

Answer = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a server hands it over. headers: names in lower case, Latin-1."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int

    @classmethod
    def parsed(cls, wire: str, status: int) -> "Request":
        """The request that stands on the wire, given as Latin-1."""
        head, _, body = wire.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        method, target, _version = first.split(" ")
        headers = tuple((name.lower(), value) for name, value in (line.split(": ", 1) for line in lines))
        return cls(method, target, headers, body.encode("latin-1"), status)


def environ_of(request: Request) -> dict[str, Any]:
    """What gunicorn would hand to a WSGI app (PEP 3333)."""
    path, _, query = request.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": request.target,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if name in {"content-type", "content-length"} else f"HTTP_{key}"] = value
    return environ


def scope_of(request: Request, state: dict[str, Any]) -> dict[str, Any]:
    """What uvicorn would hand to an ASGI app."""
    path, _, query = request.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": request.method,
        "root_path": "",
        "path": unquote_to_bytes(path).decode(),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in request.headers],
        "state": state.copy(),
    }


def ask_wsgi(app: Callable[..., Any], request: Request) -> Answer:
    """The answer of a WSGI app."""
    started: list[str] = []

    def start_response(status: str, _headers: Any, _error: Any = None) -> None:
        started[:] = [status]

    chunks = app(environ_of(request), start_response)
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return int(started[0].split(maxsplit=1)[0]), body


async def ask_asgi(app: Callable[..., Awaitable[None]], request: Request, state: dict[str, Any]) -> Answer:
    """The answer of an ASGI app."""
    events = [{"type": "http.request", "body": request.body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop() if events else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope_of(request, state), receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def checked(request: Request, answer: Answer) -> Answer:
    """The answer; RuntimeError when its status is not the one that was expected."""
    if answer[0] != request.status:
        raise RuntimeError(
            f"{request.method} {request.target} was answered with {answer[0]}: {answer[1][:500]!r}"
        )
    return answer


def mark() -> None:
    """Where one batch ends and the next begins. Callgrind is told to write its counts when this function is called."""
    os.getpgrp()


def now_warm() -> None:
    """Start-up is over: freeze its garbage collection, and let counting begin."""
    gc.collect()
    gc.freeze()
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    sys.stdin.readline()
    mark()


def drive_wsgi(app: Callable[..., Any], batches: Sequence[Sequence[Request]]) -> list[Answer]:
    """The last answer of each batch."""
    answers: list[Answer] = []
    for index, batch in enumerate(batches):
        for request in batch:
            answer = checked(request, ask_wsgi(app, request))
        answers.append(answer)
        mark() if index else now_warm()
    return answers


async def drive_asgi(
    app: Callable[..., Awaitable[None]], batches: Sequence[Sequence[Request]]
) -> list[Answer]:
    """The same for an ASGI app, within its lifespan."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    state: dict[str, Any] = {}
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}
    lifespan = asyncio.ensure_future(app(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    if (message := await outbox.get())["type"] != "lifespan.startup.complete":
        raise RuntimeError(f"the app does not start: {message}")
    answers: list[Answer] = []
    for index, batch in enumerate(batches):
        for request in batch:
            answer = checked(request, await ask_asgi(app, request, state))
        answers.append(answer)
        mark() if index else now_warm()
    await inbox.put({"type": "lifespan.shutdown"})
    await lifespan
    return answers


def main() -> None:
    """Prints `warm`, then the last answers as JSON."""
    target, file = sys.argv[1:]
    module, _, name = target.partition(":")
    batches = [
        [Request.parsed(*pair) for pair in batch] for batch in json.loads(Path(file).read_text("latin-1"))
    ]
    app = getattr(import_module(module), name)
    if iscoroutinefunction(type(app).__call__):
        answers = asyncio.run(drive_asgi(app, batches))
    else:
        answers = drive_wsgi(app, batches)
    sys.stdout.write(json.dumps([[status, body.decode()] for status, body in answers]) + "\n")


if __name__ == "__main__":
    main()
