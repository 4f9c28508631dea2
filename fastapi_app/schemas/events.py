"""What the streams of events take."""

from typing import Annotated

from pydantic import MISSING, BaseModel, Field, StrictInt

from fastapi_app.fields import FromDigits
from shared.shop.limits import ID_MAX


class StockQuery(BaseModel):
    """Whose changes are wanted: one item's, or all."""

    item_id: Annotated[StrictInt, Field(ge=1, le=ID_MAX), FromDigits] | MISSING = MISSING
