"""The shop on FastAPI: routers, pydantic models, one asynchronous session per request."""
