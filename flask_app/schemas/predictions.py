"""Predictions, going out."""

from marshmallow import fields

from flask_app.schemas.base import Output


class PredictionOut(Output):
    """How many rows were scored, the mean of their scores, and the first hundred of them."""

    rows = fields.Integer(required=True)
    mean = fields.Float(required=True)
    scores = fields.List(fields.Float(), required=True)
