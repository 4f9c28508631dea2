"""Any WSGI application with a full garbage collection every so many requests: see collector.py."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from loadtests.reference.collector import STAMPS, from_environment

wrapped, collector = from_environment()


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Collect if it is due, then let the application answer; the stamps have a path of their own."""
    if environ["PATH_INFO"] == STAMPS:
        body = collector.stamps()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    collector.count()
    answer: Iterable[bytes] = wrapped(environ, start_response)
    return answer
