"""The object that Celery's worker serves: `celery -A shared.worker worker`. It logs as the apps do."""

import logging
from typing import Any

from celery import Task
from celery.signals import setup_logging, task_postrun, task_prerun

from shared.ops.settings import settings_from
from shared.ops.tasks import make_worker
from shared.ops.telemetry import log_as_json, request_id

app = make_worker(settings_from())


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery has no types
def log(loglevel: int, **_: Any) -> None:
    """Replaces Celery's own set-up: one JSON document per line, at its --loglevel."""
    logger = logging.getLogger("celery")
    log_as_json(logger)
    logger.setLevel(loglevel)


@task_prerun.connect  # type: ignore[untyped-decorator]
def name_request(task: Task, **_: Any) -> None:
    """Tasks are logged under the id of the request that queued them."""
    request_id.set(task.request.get("request_id") or "-")


@task_postrun.connect  # type: ignore[untyped-decorator]
def forget_request(**_: Any) -> None:
    """What the worker logs after a task belongs to no request."""
    request_id.set("-")
