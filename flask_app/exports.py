"""Exports: all items that a filter lets through, as one file."""

from collections.abc import Generator
from itertools import chain
from typing import Any, cast

from flask import Blueprint, Response, request, stream_with_context

from flask_app import api
from flask_app.database import db
from flask_app.schemas.items import ItemFilter
from shared.shop import statements
from shared.shop.exports import CSV, NDJSON, ROWS_AT_ONCE, Format

bp = Blueprint("exports", __name__, url_prefix="/api/items")


@bp.get("/export.csv")
@api.query(ItemFilter)
@api.sends([CSV.content_type])
def export_csv(query: dict[str, Any]) -> Response:
    """All items, filtered and sorted, as CSV."""
    return _export(CSV, query)


@bp.get("/export.ndjson")
@api.query(ItemFilter)
@api.sends([NDJSON.content_type])
def export_ndjson(query: dict[str, Any]) -> Response:
    """All items, filtered and sorted, one JSON document a line."""
    return _export(NDJSON, query)


def _export(form: Format, query: dict[str, Any]) -> Response:
    """The first rows are fetched before the answer begins, so that a database that is away is a 503.

    The session lives as long as the answer: until the last row is sent, or the server closes what it was sending.
    """
    if request.method == "HEAD":
        return Response(iter(()), headers=form.headers)  # no Content-Length: GET has none either
    chunks = cast("Generator[bytes]", stream_with_context(_chunks(form, query)))
    response = Response(chain([next(chunks)], chunks), headers=form.headers)
    response.call_on_close(chunks.close)
    return response


def _chunks(form: Format, query: dict[str, Any]) -> Generator[bytes]:
    options = {"yield_per": ROWS_AT_ONCE}
    with db().execute(statements.export(**query), execution_options=options) as result:
        yield form.head + form.encode(result.fetchmany(ROWS_AT_ONCE))
        while rows := result.fetchmany(ROWS_AT_ONCE):
            yield form.encode(rows)
