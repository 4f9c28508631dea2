"""Predictions: a model that is served with the shop, and takes the CPU for a while."""

from typing import Any, BinaryIO

from flask import Blueprint

from flask_app import api, uploads
from flask_app.schemas.predictions import PredictionOut
from flask_app.threads import beside_the_others
from shared.shop import model

bp = Blueprint("predictions", __name__, url_prefix="/api")


@bp.post("/predict")
@uploads.file
@api.response(PredictionOut)
def predict(file: BinaryIO) -> dict[str, Any]:
    """Score the rows of a CSV."""
    return beside_the_others(model.predict, file)
