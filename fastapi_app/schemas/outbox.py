"""Mails, going out."""

from typing import Annotated

from pydantic import MISSING, Field, StrictInt

from fastapi_app.fields import FromDigits, Timestamp
from fastapi_app.schemas.base import Output, PageQuery
from shared.shop.limits import ID_MAX


class MailOut(Output):
    """A mail, without its body."""

    id: int
    user_id: int
    kind: str
    recipient: str
    subject: str
    status: str
    created_at: Timestamp
    sent_at: Timestamp | None


class MailQuery(PageQuery):
    """Mails to whom."""

    user_id: Annotated[StrictInt, Field(ge=1, le=ID_MAX), FromDigits] | MISSING = MISSING
