"""The figures that Prometheus collects."""

from flask import Blueprint, Response, current_app

from shared.ops.metrics import CONTENT_TYPE

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def measured() -> Response:
    """Counts and times of the requests of all workers."""
    return Response(current_app.extensions["metrics"].text(), content_type=CONTENT_TYPE)
