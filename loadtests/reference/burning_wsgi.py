"""Any WSGI application with a known amount of extra CPU work per request: environment variables name both."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from loadtests.reference.burner import STAMPS, from_environment

wrapped, burner = from_environment()


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Burn, then let the application answer; the stamps have a path of their own."""
    if environ["PATH_INFO"] == STAMPS:
        body = burner.stamps()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    burner.burn()
    answer: Iterable[bytes] = wrapped(environ, start_response)
    return answer
