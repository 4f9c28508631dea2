"""Reports on the shop: who gets which figures, how they are computed, and the state of their tasks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from shared.shop.callers import Caller
from shared.shop.errors import NotFound, Unavailable
from shared.shop.tables import Task

KINDS = ("sales", "stock")
LIFETIME = timedelta(hours=1)
QUEUE_MAX = 10_000
_STATUSES = ("confirmed", "cancelled")
# Celery's names for the states of a task; one that has not begun has none.
_WORDS = {"STARTED": "started", "SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "failed"}


class Sold(NamedTuple):
    """The orders of one status."""

    status: str
    orders: int
    revenue_cents: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of a task; `result` is None unless it succeeded."""

    task_id: UUID
    status: str
    result: dict[str, Any] | None


def whose_sales(caller: Caller) -> int | None:
    """The user whose orders a report on sales counts; None for admins: everybody's."""
    return None if caller.is_admin else caller.user_id


def room_for_one(counted: Sequence[Any]) -> None:
    """Raises Unavailable when so many tasks wait that another would expire. See tasks.count_waiting."""
    _, waiting = counted
    if waiting >= QUEUE_MAX:
        raise Unavailable("task queue", "is full")


def new_task(task_id: UUID, user_id: int, kind: str, at: datetime) -> Task:
    """A task as it is handed to the queue at a moment."""
    return Task(id=task_id, user_id=user_id, kind=kind, created_at=at)


def known(task: Task | None, caller: Caller, at: datetime) -> Task:
    """The task, if there is one whose outcome is still kept and the caller may see; NotFound or Forbidden."""
    if task is None or task.created_at < at - LIFETIME:
        raise NotFound("There is no such task.")
    caller.may_touch(task.user_id)
    return task


def outcome(task_id: UUID, stored: bytes | None) -> Outcome:
    """What a worker has stored of a task, without what it says of a failure: that is in the worker's log."""
    meta: Mapping[str, Any] = orjson.loads(stored) if stored else {}
    status = _WORDS.get(meta.get("status", ""), "pending")
    return Outcome(task_id, status, meta["result"] if status == "succeeded" else None)


def sales(sold: Iterable[tuple[str, int, int]]) -> dict[str, Any]:
    """Orders and revenue by status; a status that no order has counts 0."""
    rows = {status: Sold(status, 0, 0) for status in _STATUSES}
    rows |= {status: Sold(status, orders, int(cents)) for status, orders, cents in sold}
    return {"kind": "sales", "by_status": [row._asdict() for row in rows.values()]}


def stock(items: int, sold_out: int, low: int, value_cents: int) -> dict[str, Any]:
    """How many items there are, are sold out or down to LOW_STOCK_MAX pieces, and what all pieces are worth."""
    return {
        "kind": "stock",
        "items": items,
        "sold_out": sold_out,
        "low": low,
        "value_cents": int(value_cents),
    }
