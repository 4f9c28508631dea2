"""Logging in, in and out."""

from typing import Annotated

from pydantic import Field

from fastapi_app.schemas.base import Input, Output
from shared.shop.limits import NAME_MAX, NO_NUL, PASSWORD_MAX


class Credentials(Input):
    """Who logs in."""

    username: Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=NO_NUL)]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX, pattern=NO_NUL)]


class TokenOut(Output):
    """A bearer token, and for how many seconds it is valid."""

    access_token: str
    token_type: str
    expires_in: int
