"""Reports: handed to the task queue, done by a worker, fetched later."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import redis
from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from redis.asyncio import Redis

from fastapi_app.api import ShopRoute
from fastapi_app.auth import SignedIn
from fastapi_app.database import Db
from fastapi_app.resources import Shop
from fastapi_app.schemas.reports import ReportIn, TaskOut, TaskState
from shared.ops import tasks
from shared.shop import reports
from shared.shop.errors import Unavailable
from shared.shop.limits import now
from shared.shop.reports import Outcome
from shared.shop.tables import Task

router = APIRouter(prefix="/api", tags=["reports"], route_class=ShopRoute)


@router.post("/reports", response_model=TaskOut, status_code=202, responses={404: {}})
async def order_report(
    caller: SignedIn, wanted: ReportIn, db: Db, shop: Shop, response: Response
) -> dict[str, Any]:
    """Have a report made. Admins get the sales to everybody, others those to themselves."""
    whose = reports.whose_sales(caller)
    reports.room_for_one(await _waiting(shop.redis, shop.settings.namespace))
    # Celery knows no event loop: its connection is waited for in a thread.
    task_id = await run_in_threadpool(tasks.hand_over, shop.celery, tasks.REPORT, wanted.kind, whose)
    db.add(reports.new_task(task_id, caller.user_id, wanted.kind, now()))
    await db.commit()
    response.headers["Location"] = f"/api/tasks/{task_id}"
    return {"task_id": task_id, "status": "pending"}


@router.get("/tasks/{task_id:token}", response_model=TaskState, responses={404: {}})
async def read_task(caller: SignedIn, task_id: UUID, db: Db, shop: Shop) -> Outcome:
    """What has become of a task of one's own; admins see everybody's."""
    reports.known(await db.get(Task, task_id), caller, now())
    return reports.outcome(task_id, await _stored(shop.redis, shop.settings.namespace, task_id))


async def _waiting(cache: Redis, namespace: str) -> Sequence[Any]:
    try:
        return cast("Sequence[Any]", await tasks.count_waiting(cache.pipeline(), namespace).execute())
    except redis.RedisError:
        raise Unavailable("task queue") from None


async def _stored(cache: Redis, namespace: str, task_id: UUID) -> bytes | None:
    try:
        return cast("bytes | None", await cache.get(tasks.outcome_key(namespace, task_id)))
    except redis.RedisError:
        raise Unavailable("task queue") from None
