"""Reports to order, and the tasks that make them."""

from typing import Any
from uuid import UUID

from fastapi_app.fields import ReportKind
from fastapi_app.schemas.base import Input, Output


class ReportIn(Input):
    """Which report is wanted."""

    kind: ReportKind


class TaskOut(Output):
    """A task that was handed over."""

    task_id: UUID
    status: str


class TaskState(Output):
    """How far a task is; a result when it has succeeded."""

    task_id: UUID
    status: str
    result: dict[str, Any] | None
