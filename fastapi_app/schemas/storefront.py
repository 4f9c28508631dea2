"""The query parameters of the HTML pages."""

from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from fastapi_app.fields import FromDigits, QueryText
from shared.http.storefront import PAGE_MAX


class ShelfQuery(BaseModel):
    """Which page of the items, and which of them."""

    page: Annotated[StrictInt, Field(ge=1, le=PAGE_MAX), FromDigits] = 1
    q: QueryText | None = None
