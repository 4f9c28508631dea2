"""Users, in and out."""

from pydantic import MISSING

from fastapi_app.fields import Boolean, Email, Password, Timestamp, Username
from fastapi_app.schemas.base import Input, Output, Patch


class UserIn(Input):
    """A user to create."""

    username: Username
    email: Email
    is_admin: Boolean = False
    password: Password


class UserPatch(Patch):
    """Some fields of a user."""

    username: Username | MISSING = MISSING
    email: Email | MISSING = MISSING
    is_admin: Boolean | MISSING = MISSING
    password: Password | MISSING = MISSING


class UserOut(Output):
    """A user, without the password."""

    id: int
    username: str
    email: str
    is_admin: bool
    created_at: Timestamp
