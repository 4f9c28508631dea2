"""The shop on FastAPI: routers, pydantic models, an asynchronous session a request."""
