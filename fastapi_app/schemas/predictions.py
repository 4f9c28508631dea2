"""Predictions, going out."""

from fastapi_app.schemas.base import Output


class PredictionOut(Output):
    """How many rows were scored, the mean of their scores, and the first hundred of them."""

    rows: int
    mean: float
    scores: list[float]
