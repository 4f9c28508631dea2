"""Items: what the shop sells."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from fastapi_app import images
from fastapi_app.api import Id, IfMatch, ShopRoute
from fastapi_app.auth import admin
from fastapi_app.conditional import TAGGED
from fastapi_app.database import Db
from fastapi_app.pages import read_page
from fastapi_app.resources import Shop
from fastapi_app.schemas.base import Page
from fastapi_app.schemas.items import ItemBatch, ItemIn, ItemOut, ItemPatch, ItemQuery, ItemsOut
from shared.http import conditional
from shared.shop import rules, statements
from shared.shop.limits import now
from shared.shop.tables import Item

router = APIRouter(prefix="/api/items", tags=["items"], route_class=ShopRoute)
admins_only = [Depends(admin)]


@router.get("", response_model=Page[ItemOut], responses=TAGGED)
async def list_items(query: Annotated[ItemQuery, Query()], db: Db) -> dict[str, Any]:
    """A page of items, filtered and sorted."""
    return await read_page(db, statements.items, query)


@router.post("", response_model=ItemOut, status_code=201, dependencies=admins_only)
async def create_item(fields: ItemIn, db: Db, shop: Shop, response: Response) -> Item:
    """Create an item."""
    item = rules.new_item(fields.model_dump(), now())
    db.add(item)
    await db.commit()
    await shop.publisher.publish([item])
    response.headers["Location"] = f"/api/items/{item.id}"
    return item


@router.post("/batch", response_model=ItemsOut, status_code=201, dependencies=admins_only)
async def create_items(batch: ItemBatch, db: Db, shop: Shop, response: Response) -> dict[str, Sequence[Item]]:
    """Create many items, all or none."""
    at = now()
    rows = [rules.new_item_row(fields.model_dump(), at) for fields in batch.items]
    items = (await db.scalars(statements.NEW_ITEMS, rows)).all()
    await db.commit()
    await shop.publisher.publish(items)
    response.headers["Location"] = "/api/items"
    return {"items": items}


@router.get("/{item_id:id}", response_model=ItemOut, responses=TAGGED | {404: {}})
async def read_item(item_id: Id, db: Db) -> Item:
    """Read an item."""
    return rules.found(await db.get(Item, item_id), "item")


@router.get("/{item_id:id}/cached", response_model=ItemOut, responses=TAGGED | {404: {}})
async def read_cached_item(item_id: Id, shop: Shop) -> Response:
    """Read an item, out of the cache if it is there."""

    async def load() -> bytes:
        async with shop.sessions() as db:
            return _json(rules.found(await db.get(Item, item_id), "item"))

    body, found = await shop.item_cache.read(item_id, load)
    return Response(body, headers={"X-Cache": found}, media_type="application/json")


@router.put("/{item_id:id}", response_model=ItemOut, responses={404: {}, 412: {}}, dependencies=admins_only)
async def replace_item(item_id: Id, fields: ItemIn, db: Db, shop: Shop, if_match: IfMatch = None) -> Item:
    """Replace an item."""
    return await _change(db, shop, await _item_as_seen(db, item_id, if_match), fields.model_dump())


@router.patch("/{item_id:id}", response_model=ItemOut, responses={404: {}, 412: {}}, dependencies=admins_only)
async def change_item(item_id: Id, fields: ItemPatch, db: Db, shop: Shop, if_match: IfMatch = None) -> Item:
    """Change some fields of an item."""
    return await _change(db, shop, await _item_as_seen(db, item_id, if_match), fields.model_dump())


@router.delete(
    "/{item_id:id}",
    status_code=204,
    response_class=Response,
    responses={404: {}, 409: {}, 412: {}},
    dependencies=admins_only,
)
async def delete_item(item_id: Id, db: Db, shop: Shop, if_match: IfMatch = None) -> None:
    """Delete an item that no order holds."""
    item, image = await _item_as_seen(db, item_id, if_match), await images.file_of(db, item_id)
    await db.delete(item)
    await db.commit()
    await shop.item_cache.forget([item_id])
    await images.remove(shop.settings.media_folder, image)


async def _change(db: Db, shop: Shop, item: Item, fields: dict[str, Any]) -> Item:
    in_stock = item.stock
    rules.change_item(item, fields, now())
    await db.commit()
    await shop.item_cache.forget([item.id])
    await shop.publisher.publish([item] if item.stock != in_stock else [])
    return item


async def _item_as_seen(db: Db, item_id: int, if_match: str | None) -> Item:
    """The item, locked; as the client has seen it, if it says what it has seen."""
    item = rules.found(await db.scalar(statements.item_for_update(item_id)), "item")
    conditional.must_match(if_match, lambda: _json(item))
    return item


def _json(item: Item) -> bytes:
    return ItemOut.model_validate(item).model_dump_json().encode()
