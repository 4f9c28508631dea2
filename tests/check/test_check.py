"""The check over the wire: two apps that comply give no difference, and one that is a little wrong is found."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from flask_app.app import create_app
from loadtests.check.differences import Difference, check
from loadtests.errors import CheckError
from shared.ops.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]
Spoil = Callable[[str, Headers, bytes], tuple[str, Headers, bytes]]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False


def spoiled(app: WSGIApplication, spoil: Spoil) -> WSGIApplication:
    """The app with every answer passed through `spoil`."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen: list[Any] = []
        chunks = app(environ, lambda status, headers, *_: seen.extend([status, headers]))  # type: ignore[arg-type]
        body = b"".join(chunks)
        chunks.close()  # type: ignore[attr-defined]
        status, headers, body = spoil(seen[0], seen[1], body)
        start_response(status, headers)
        return [body]

    return answer


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """The URL of the app on a small server."""
    with make_server("127.0.0.1", 0, app, _Threaded, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def found_in(
    url_of: Callable[[str], str], new_settings: Callable[[], Settings]
) -> Iterator[Callable[[Spoil], list[Difference]]]:
    """What the check finds between FastAPI and a Flask app whose answers were spoiled."""
    app = create_app(new_settings())

    def find(spoil: Spoil) -> list[Difference]:
        with served(spoiled(app, spoil)) as url:
            return check(url_of("fastapi-uvicorn"), url, broken=20)

    yield find
    app.extensions["shop"].close()


def a_byte(status: str, headers: Headers, body: bytes) -> tuple[str, Headers, bytes]:
    return status, headers, body.replace(b'"stock":10', b'"stock":11')


def no_headers_of_ours(status: str, headers: Headers, body: bytes) -> tuple[str, Headers, bytes]:
    lost = {"Location", "X-Request-ID"}
    return status, [(name, value) for name, value in headers if name not in lost], body


def ok_for_created(status: str, headers: Headers, body: bytes) -> tuple[str, Headers, bytes]:
    return status.replace("201 CREATED", "200 OK"), headers, body


def another_code(status: str, headers: Headers, body: bytes) -> tuple[str, Headers, bytes]:
    return status, headers, body.replace(b"too_small", b"too_large")


def test_two_apps_that_comply_do_not_differ(url_of: Callable[[str], str]) -> None:
    assert check(url_of("flask-gthread"), url_of("fastapi-uvicorn")) == []


def test_an_app_does_not_differ_from_itself(url_of: Callable[[str], str]) -> None:
    assert check(url_of("fastapi-uvicorn"), url_of("fastapi-uvicorn"), seed=1) == []


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (a_byte, {"body"}),
        (no_headers_of_ours, {"location", "x-request-id"}),
        (ok_for_created, {"status"}),
        (another_code, {"pointers"}),
    ],
)
def test_an_app_that_is_a_little_wrong_is_found(
    found_in: Callable[[Spoil], list[Difference]], spoil: Spoil, what: set[str]
) -> None:
    assert what <= {difference.what for difference in found_in(spoil)}


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1"])
def test_what_is_no_url_is_one_clear_line(url: str) -> None:
    with pytest.raises(CheckError, match="does not answer") as raised:
        check(url, url)
    assert "\n" not in str(raised.value)


def test_an_app_that_does_not_run_is_named_in_one_line() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(CheckError, match=url) as raised:
            check(url, url)
    assert "\n" not in str(raised.value)
