"""The session: one per request, opened when the first statement needs it."""

from typing import cast

from flask import Flask, g
from sqlalchemy.orm import Session

from flask_app.resources import shop


def init_app(app: Flask) -> None:
    """Has every request end its session."""
    app.teardown_appcontext(close_session)


def db() -> Session:
    """The session of this request."""
    if "session" not in g:
        g.session = shop().sessions()
    return cast("Session", g.session)


def close_session(_error: BaseException | None) -> None:
    """Ends the request's session; what was not committed is rolled back."""
    session = g.pop("session", None)
    if session is not None:
        session.close()
