"""What happens to every request: it gets an id and is counted."""

from flask import Flask, Response, request

from shared.errors import NotFound
from shared.telemetry import RequestCounter, request_id, request_id_for


def init_app(app: Flask) -> None:
    """Hooks the request id and the counter into the app."""
    counter = app.extensions["request_counter"] = RequestCounter()

    @app.before_request
    def begin() -> None:
        counter.add()
        request_id.set(request_id_for(request.environ.get("HTTP_X_REQUEST_ID")))
        if request.environ["PATH_INFO"].startswith("//"):  # werkzeug takes it for one slash
            raise NotFound("There is nothing at this path.")

    @app.after_request
    def name(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id.get()
        return response
