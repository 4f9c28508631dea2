"""Items: what the shop sells."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from fastapi_app.api import Id, StrictRoute
from fastapi_app.auth import admin
from fastapi_app.database import Db
from fastapi_app.pages import read_page
from fastapi_app.schemas.base import Page
from fastapi_app.schemas.items import ItemBatch, ItemIn, ItemOut, ItemPatch, ItemQuery, ItemsOut
from shared import rules, statements
from shared.limits import now
from shared.tables import Item

router = APIRouter(prefix="/api/items", tags=["items"], route_class=StrictRoute)
admins_only = [Depends(admin)]


@router.get("", response_model=Page[ItemOut])
async def list_items(query: Annotated[ItemQuery, Query()], db: Db) -> dict[str, Any]:
    """A page of items, filtered and sorted."""
    return await read_page(db, statements.items, query)


@router.post("", response_model=ItemOut, status_code=201, dependencies=admins_only)
async def create_item(fields: ItemIn, db: Db, response: Response) -> Item:
    """Create an item."""
    item = rules.new_item(fields.model_dump(), now())
    db.add(item)
    await db.commit()
    response.headers["Location"] = f"/api/items/{item.id}"
    return item


@router.post("/batch", response_model=ItemsOut, status_code=201, dependencies=admins_only)
async def create_items(batch: ItemBatch, db: Db, response: Response) -> dict[str, list[Item]]:
    """Create many items, all or none."""
    at = now()
    items = [rules.new_item(fields.model_dump(), at) for fields in batch.items]
    db.add_all(items)
    await db.commit()
    response.headers["Location"] = "/api/items"
    return {"items": items}


@router.get("/{item_id:id}", response_model=ItemOut, responses={404: {}})
async def read_item(item_id: Id, db: Db) -> Item:
    """Read an item."""
    return rules.found(await db.get(Item, item_id), "item")


@router.put("/{item_id:id}", response_model=ItemOut, responses={404: {}}, dependencies=admins_only)
async def replace_item(item_id: Id, fields: ItemIn, db: Db) -> Item:
    """Replace an item."""
    return await _change(db, item_id, fields.model_dump())


@router.patch("/{item_id:id}", response_model=ItemOut, responses={404: {}}, dependencies=admins_only)
async def change_item(item_id: Id, fields: ItemPatch, db: Db) -> Item:
    """Change some fields of an item."""
    return await _change(db, item_id, fields.model_dump())


@router.delete(
    "/{item_id:id}",
    status_code=204,
    response_class=Response,
    responses={404: {}, 409: {}},
    dependencies=admins_only,
)
async def delete_item(item_id: Id, db: Db) -> None:
    """Delete an item that no order holds."""
    await db.delete(rules.found(await db.scalar(statements.item_for_update(item_id)), "item"))
    await db.commit()


async def _change(db: Db, item_id: int, fields: dict[str, Any]) -> Item:
    item = rules.found(await db.scalar(statements.item_for_update(item_id)), "item")
    rules.change_item(item, fields, now())
    await db.commit()
    return item
