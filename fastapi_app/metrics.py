"""The figures that Prometheus collects."""

from fastapi import APIRouter, Response

from fastapi_app.resources import Shop
from shared.ops.metrics import CONTENT_TYPE

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def measured(shop: Shop) -> Response:
    """Counts and times of the requests of all workers. They are read from files: off the event loop."""
    return Response(shop.metrics.text(), headers={"Content-Type": CONTENT_TYPE})
