"""The smallest FastAPI app that answers /api/probe/ping as the shop does: what the shop's ping is compared with."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/api/probe/ping")
async def ping() -> dict[str, str]:
    """The one route that is measured."""
    return {"message": "pong"}


@app.get("/healthz")
async def alive() -> dict[str, str]:
    """Whether the server is up."""
    return {"status": "ok"}
