"""What the streams of events take."""

from flask_app.fields import QueryInteger
from flask_app.schemas.base import Query
from shared.shop.limits import ID_MAX


class StockQuery(Query):
    """Whose changes are wanted: one item's, or all."""

    item_id = QueryInteger(least=1, most=ID_MAX)
