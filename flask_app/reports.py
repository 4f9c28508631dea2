"""Reports: handed to the task queue, done by a worker, fetched later."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import redis
from flask import Blueprint

from flask_app import api, auth
from flask_app.database import db
from flask_app.resources import shop
from flask_app.schemas.reports import ReportIn, TaskOut, TaskState
from shared.ops import tasks
from shared.shop import reports
from shared.shop.errors import Unavailable
from shared.shop.limits import now
from shared.shop.reports import Outcome
from shared.shop.tables import Task

bp = Blueprint("reports", __name__, url_prefix="/api")


@bp.post("/reports")
@auth.signed_in
@api.body(ReportIn)
@api.response(TaskOut, 202)
@api.problems(404)
def order_report(wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Have a report made. Admins get the sales to everybody, others those to themselves."""
    kind, caller = wanted["kind"], auth.caller()
    reports.room_for_one(_waiting())
    task_id = tasks.hand_over(shop().celery, tasks.REPORT, kind, reports.whose_sales(caller))
    db().add(reports.new_task(task_id, caller.user_id, kind, now()))
    db().commit()
    return {"task_id": task_id, "status": "pending"}, {"Location": f"/api/tasks/{task_id}"}


@bp.get("/tasks/<token:task_id>")
@auth.signed_in
@api.response(TaskState)
@api.problems(404)
def read_task(task_id: UUID) -> Outcome:
    """What has become of a task of one's own; admins see everybody's."""
    reports.known(db().get(Task, task_id), auth.caller(), now())
    return reports.outcome(task_id, _stored(task_id))


def _waiting() -> Sequence[Any]:
    try:
        counted = tasks.count_waiting(shop().redis.pipeline(), shop().settings.namespace)
        return cast("Sequence[Any]", counted.execute())
    except redis.RedisError:
        raise Unavailable("task queue") from None


def _stored(task_id: UUID) -> bytes | None:
    try:
        return cast("bytes | None", shop().redis.get(tasks.outcome_key(shop().settings.namespace, task_id)))
    except redis.RedisError:
        raise Unavailable("task queue") from None
