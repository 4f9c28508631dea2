"""One page of a list."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select

from fastapi_app.database import Db
from fastapi_app.schemas.base import PageQuery
from shared.shop import statements


async def read_page(db: Db, rows_by: Callable[..., Select[Any]], query: PageQuery) -> dict[str, Any]:
    """The page that `query` asks for, out of the rows that its other parameters select."""
    rows = rows_by(**query.model_dump(exclude={"limit", "offset"}))
    return {
        "items": (await db.scalars(rows.limit(query.limit).offset(query.offset))).all(),
        "total": await db.scalar(statements.count(rows)),
        "limit": query.limit,
        "offset": query.offset,
    }
