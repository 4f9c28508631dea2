"""Stock changes as server-sent events."""

import threading
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from flask_app import api
from flask_app.resources import shop
from flask_app.schemas.events import StockQuery
from shared.shop import stock
from shared.shop.stock import Ended, Mailbox

bp = Blueprint("events", __name__, url_prefix="/api/events")


@bp.get("/stock")
@api.query(StockQuery)
@api.sends(["text/event-stream"])
@api.problems(503)
def stream_stock(query: dict[str, Any]) -> Response:
    """Stock changes as server-sent events, of one item or of all."""
    if request.method == "HEAD":
        return Response(iter(()), headers=stock.EVENT_HEADERS)
    feed, changed = shop().feed, threading.Event()
    box = feed.join(query.get("item_id"), changed.set)
    response = Response(_events(box, changed), headers=stock.EVENT_HEADERS)
    response.call_on_close(lambda: feed.board.leave(box))
    return response


def _events(box: Mailbox, changed: threading.Event) -> Iterator[str]:
    yield stock.SUBSCRIBED
    while True:
        told = changed.wait(stock.HEARTBEAT_S)
        changed.clear()
        try:
            lines = box.take()
        except Ended:
            return
        yield "".join(map(stock.event, lines)) if told else stock.HEARTBEAT
