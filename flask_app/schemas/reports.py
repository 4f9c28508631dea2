"""Reports to order, and the tasks that make them."""

from marshmallow import fields

from flask_app.fields import OneOf
from flask_app.schemas.base import Input, Output
from shared.shop.reports import KINDS


class ReportIn(Input):
    """Which report is wanted."""

    kind = fields.String(required=True, validate=OneOf(KINDS))


class TaskOut(Output):
    """A task that was handed over."""

    task_id = fields.UUID(required=True)
    status = fields.String(required=True)


class TaskState(Output):
    """How far a task is; a result when it has succeeded."""

    task_id = fields.UUID(required=True)
    status = fields.String(required=True)
    result = fields.Dict(required=True, allow_none=True, metadata={"additionalProperties": True})
