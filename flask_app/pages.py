"""One page of a list."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select

from flask_app.database import db
from shared.shop import statements


def read_page(rows_by: Callable[..., Select[Any]], query: dict[str, Any]) -> dict[str, Any]:
    """The page that `query` asks for, out of the rows that its other parameters select."""
    limit, offset = query.pop("limit"), query.pop("offset")
    rows = rows_by(**query)
    return {
        "items": db().scalars(rows.limit(limit).offset(offset)).all(),
        "total": db().scalar(statements.count(rows)),
        "limit": limit,
        "offset": offset,
    }
