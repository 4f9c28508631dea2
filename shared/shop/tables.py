"""The tables as SQLAlchemy maps them, with the constraints that hold whatever an app does."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# Ordered by code point and folded by Unicode, on every PostgreSQL from 17 on, whatever its locale.
_UNICODE = Text(collation="pg_c_utf8")


class Base(DeclarativeBase):
    """The declarative base; constraints get PostgreSQL's own default names."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012


class Item(Base):
    """Something the shop sells."""

    __tablename__ = "items"
    __table_args__ = (
        CheckConstraint("stock >= 0", "stock"),
        CheckConstraint("price_cents >= 0", "price_cents"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(_UNICODE, index=True)
    description: Mapped[str | None] = mapped_column(_UNICODE)
    price_cents: Mapped[int] = mapped_column(Integer, index=True)
    stock: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class User(Base):
    """Someone who orders. Username and email are unique whatever their case."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    username: Mapped[str] = mapped_column(_UNICODE, unique=True)
    email: Mapped[str] = mapped_column(_UNICODE)
    is_admin: Mapped[bool]
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


Index("users_email_key", func.lower(User.email), unique=True)


class OrderLine(Base):
    """One item of an order, at the price it had then. `position` keeps the order of the request."""

    __tablename__ = "order_lines"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(Integer)
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price_cents: Mapped[int] = mapped_column(Integer)


class Order(Base):
    """What a user bought. `lines` come with it, in the order of the request."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    status: Mapped[str] = mapped_column(Text)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    lines: Mapped[list[OrderLine]] = relationship(lazy="selectin", order_by=OrderLine.position)


class Image(Base):
    """The image of an item: the file's name in the media folder, and what an answer says of it."""

    __tablename__ = "images"

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), primary_key=True)
    file: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(Integer)
    etag: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime]


class Answer(Base):
    """The first answer to an order that came with an Idempotency-Key.

    A key is its user's own. `fingerprint` tells one body from another; `body` is null only inside the transaction
    that writes it.
    """

    __tablename__ = "idempotent_answers"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


class Mail(Base):
    """A mail to a user, written in the transaction that gives cause for it, and sent after that."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(_UNICODE)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()

    @property
    def status(self) -> str:
        """`pending` until it was sent."""
        return "pending" if self.sent_at is None else "sent"


Index("outbox_pending_idx", Mail.id, postgresql_where=Mail.sent_at.is_(None))


class LateTally(Base):
    """What became of the pieces of an item that were promised first and taken later."""

    __tablename__ = "late_orders"

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), primary_key=True)
    accepted: Mapped[int] = mapped_column(BigInteger)
    taken: Mapped[int] = mapped_column(BigInteger)
    oversold: Mapped[int] = mapped_column(BigInteger)


class Task(Base):
    """Work that was handed to the task queue, and for whom. What became of it is kept in Redis, for a while."""

    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)
