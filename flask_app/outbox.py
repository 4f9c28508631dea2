"""Mails to users: written with what gives cause for them, sent after the answer."""

from functools import partial
from typing import Any

from flask import Blueprint, Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from flask_app import api, auth
from flask_app.pages import read_page
from flask_app.resources import shop
from flask_app.schemas.outbox import MailPage, MailQuery
from shared.ops.telemetry import logger_of
from shared.shop import mails, statements
from shared.shop.limits import now

bp = Blueprint("outbox", __name__, url_prefix="/api/outbox")
logger = logger_of("shop.flask")


@bp.get("")
@auth.admin
@api.query(MailQuery)
@api.response(MailPage)
def list_mails(query: dict[str, Any]) -> dict[str, Any]:
    """A page of mails, to all users or to one."""
    return read_page(statements.mails, query)


def start(app: Flask) -> None:
    """Sends what an earlier process left behind. For the module that a server loads, in the process that serves."""
    with app.app_context():
        send_soon()


def send_soon() -> None:
    """Sends after the answer what is pending."""
    shop().background.soon(partial(send_pending, shop().sessions))


def send_pending(opened_by: sessionmaker[Session]) -> None:
    """Sends all mails that are pending: those of this request, and those left by workers that died.

    Mails that another worker is sending are left to it. If the database fails they stay for the next call.
    """
    try:
        while _send_batch(opened_by) == mails.BATCH_MAX:
            pass
    except SQLAlchemyError as error:
        logger.warning("mails stay pending: %s", error)


def _send_batch(opened_by: sessionmaker[Session]) -> int:
    with opened_by.begin() as session:
        batch = session.scalars(statements.pending_mails(mails.BATCH_MAX)).all()
        for mail in batch:
            mails.send(mail, now())
    return len(batch)
