"""The domain's errors, the one table that gives each its status and code, and the problem document (RFC 9457)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
# What SQLAlchemy raises when the database can't be reached, or has no connection free.
UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong with a request: where (a JSON pointer, or `?name` for a query parameter) and what."""

    pointer: str
    code: str
    message: str


class ShopError(Exception):
    """An answer other than success. `detail` is for the caller to read; `headers` go out with it."""

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})


class MalformedJson(ShopError):
    """The body is not a JSON document."""

    def __init__(self) -> None:
        super().__init__("The body is not valid JSON.")


class MalformedBody(ShopError):
    """The body is no form, or it ends before its last part does."""

    def __init__(self) -> None:
        super().__init__("The body is not valid multipart/form-data.")


class Unauthorized(ShopError):
    """The caller is not known. `challenge` is the value of WWW-Authenticate."""

    def __init__(self, detail: str, challenge: str) -> None:
        super().__init__(detail, {"WWW-Authenticate": challenge})


class Forbidden(ShopError):
    """The caller is known, but may not do this."""


class NotFound(ShopError):
    """The path, or what it or the body names, does not exist."""


class MethodNotAllowed(ShopError):
    """The path exists, the method does not. `allow` are the methods that do."""

    def __init__(self, allow: str) -> None:
        super().__init__("This path does not answer that method.", {"Allow": allow})


class Conflict(ShopError):
    """The request is well formed, but the state of the shop refuses it."""


class Taken(Conflict):
    """A username or an email is in use."""


class InUse(Conflict):
    """A row that others point to can't be deleted."""


class OutOfStock(Conflict):
    """Less is in stock than was ordered."""


class AlreadyCancelled(Conflict):
    """The order was cancelled before."""


class IdempotencyConflict(Conflict):
    """The key was used for another body."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body.")


class PreconditionFailed(ShopError):
    """What the client would change is not the version it has seen."""

    def __init__(self) -> None:
        super().__init__("It was changed since: read it again, and use its new ETag.")


class TooLarge(ShopError):
    """The body is larger than the contract allows."""

    def __init__(self, most: str = "1 MiB") -> None:
        super().__init__(f"The body is larger than {most}.")


class UnsupportedMediaType(ShopError):
    """The body is not declared as what it has to be, or an image is none."""

    def __init__(self, detail: str = "Send the body as application/json.") -> None:
        super().__init__(detail)


class RangeNotSatisfiable(ShopError):
    """The range of bytes begins after the end."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"There are {size_bytes} bytes, and none in that range.",
            {"Content-Range": f"bytes */{size_bytes}"},
        )


class Invalid(ShopError):
    """The request does not fit the schema; `faults` say where, sorted by pointer."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__("The request does not fit its schema.")
        self.faults = sorted(faults)


class TooManyAttempts(ShopError):
    """Logging in failed too often; the next attempt may follow after `wait_s`."""

    def __init__(self, wait_s: int) -> None:
        super().__init__("Too many failed attempts. Try again later.", {"Retry-After": str(wait_s)})


class Internal(ShopError):
    """A bug of ours; the answer gives no details."""

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side.")


class UpstreamError(ShopError):
    """The partner refused the connection, failed, or sent an answer that can't be understood."""

    def __init__(self) -> None:
        super().__init__("The partner did not give a proper answer.")


class UpstreamTimeout(ShopError):
    """The partner did not answer in time."""

    def __init__(self) -> None:
        super().__init__("The partner did not answer in time.")


class Unavailable(ShopError):
    """The database, the cache or the partner can't be reached."""

    def __init__(self, what: str = "database", why: str = "can't be reached") -> None:
        super().__init__(f"The {what} {why}. Try again soon.", {"Retry-After": str(RETRY_AFTER_S)})


@dataclass(frozen=True, slots=True)
class Kind:
    """How an error looks from outside."""

    status: int
    code: str
    title: str


KINDS: dict[type[ShopError], Kind] = {
    MalformedJson: Kind(400, "malformed_json", "Malformed JSON"),
    MalformedBody: Kind(400, "malformed_body", "Malformed body"),
    Unauthorized: Kind(401, "unauthorized", "Unauthorized"),
    Forbidden: Kind(403, "forbidden", "Forbidden"),
    NotFound: Kind(404, "not_found", "Not found"),
    MethodNotAllowed: Kind(405, "method_not_allowed", "Method not allowed"),
    Taken: Kind(409, "taken", "Already taken"),
    InUse: Kind(409, "in_use", "Still in use"),
    OutOfStock: Kind(409, "out_of_stock", "Out of stock"),
    AlreadyCancelled: Kind(409, "already_cancelled", "Already cancelled"),
    IdempotencyConflict: Kind(409, "idempotency_conflict", "Idempotency key reused"),
    PreconditionFailed: Kind(412, "precondition_failed", "Precondition failed"),
    TooLarge: Kind(413, "too_large", "Body too large"),
    UnsupportedMediaType: Kind(415, "unsupported_media_type", "Unsupported media type"),
    RangeNotSatisfiable: Kind(416, "range_not_satisfiable", "Range not satisfiable"),
    Invalid: Kind(422, "invalid", "Invalid request"),
    TooManyAttempts: Kind(429, "too_many_attempts", "Too many attempts"),
    Internal: Kind(500, "internal", "Internal error"),
    UpstreamError: Kind(502, "upstream_error", "Upstream error"),
    Unavailable: Kind(503, "unavailable", "Service unavailable"),
    UpstreamTimeout: Kind(504, "upstream_timeout", "Upstream timeout"),
}

_CONSTRAINTS: dict[str, ShopError] = {
    "users_username_key": Taken("This username is taken."),
    "users_email_key": Taken("This email is taken."),
    "orders_user_id_fkey": NotFound("There is no such user."),
    "order_lines_item_id_fkey": InUse("This item is part of an order."),
    "late_orders_item_id_fkey": NotFound("There is no such item."),
    "tasks_user_id_fkey": NotFound("There is no such user."),
}


def status_of(error: ShopError) -> int:
    """The HTTP status of an error."""
    return KINDS[type(error)].status


def problem(error: ShopError) -> dict[str, Any]:
    """The problem document of an error, its members in the order of the contract."""
    kind = KINDS[type(error)]
    document: dict[str, Any] = {
        "type": f"/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "code": kind.code,
    }
    if isinstance(error, Invalid):
        document["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "message": fault.message} for fault in error.faults
        ]
    return document


def violated(cause: BaseException | None, *, deleting: bool = False) -> ShopError:
    """What the violation of a database constraint means; Internal for one that no request should reach.

    `cause` is the driver's own error, whose `diag` names the constraint.
    """
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    if deleting and constraint == "orders_user_id_fkey":
        return InUse("This user has orders.")
    return _CONSTRAINTS.get(constraint or "", Internal())


def allow_header(methods: Iterable[str]) -> str:
    """The value of an Allow header."""
    return ", ".join(sorted(methods))
