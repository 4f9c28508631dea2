"""The smallest Flask app that answers /api/probe/ping as the shop does: what the shop's ping is compared with."""

from flask import Flask

app = Flask(__name__)


@app.get("/api/probe/ping")
def ping() -> dict[str, str]:
    """The one route that is measured."""
    return {"message": "pong"}


@app.get("/healthz")
def alive() -> dict[str, str]:
    """Whether the server is up."""
    return {"status": "ok"}
