"""The figures that Prometheus collects."""

from flask import Blueprint, Response

from flask_app.resources import shop
from shared.ops.metrics import CONTENT_TYPE

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def measured() -> Response:
    """Counts and times of the requests of all workers."""
    return Response(shop().metrics.text(), content_type=CONTENT_TYPE)
