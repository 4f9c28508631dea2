"""The query parameters of the HTML pages."""

from flask_app.fields import QueryInteger, QueryText
from flask_app.schemas.base import Query
from shared.http.storefront import PAGE_MAX


class ShelfQuery(Query):
    """Which page of the items, and which of them."""

    page = QueryInteger(least=1, most=PAGE_MAX, load_default=1)
    q = QueryText(load_default=None)
