"""Calling others: the partner service, once or many times over."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from fastapi_app.api import ShopRoute
from fastapi_app.partner import Partner
from fastapi_app.resources import Resources, Shop
from fastapi_app.schemas.calls import Called, CallQuery, FannedOut, FanOutQuery
from shared.shop.errors import Unavailable
from shared.shop.partner import wish, wishes

router = APIRouter(prefix="/api/partner", tags=["partner"], route_class=ShopRoute)


@router.get("/one", response_model=Called, responses={502: {}, 503: {}, 504: {}})
async def call_once(query: Annotated[CallQuery, Query()], shop: Shop) -> Mapping[str, Any]:
    """Call the partner once."""
    return await _partner(shop).call(wish(query.delay_ms, status=query.status, hang=query.hang))


@router.get("/many", response_model=FannedOut, responses={502: {}, 503: {}, 504: {}})
async def call_often(query: Annotated[FanOutQuery, Query()], shop: Shop) -> dict[str, Any]:
    """Call the partner n times at once."""
    return {"calls": await _partner(shop).call_all(wishes(query.n, query.delay_ms)), "n": query.n}


def _partner(shop: Resources) -> Partner:
    """The partner; raises Unavailable when none was named."""
    if shop.partner is None:
        raise Unavailable("partner")
    return shop.partner
