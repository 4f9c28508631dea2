"""Items: what the shop sells."""

from collections.abc import Sequence
from typing import Any

import orjson
from flask import Blueprint, Response

from flask_app import api, auth, images
from flask_app.conditional import if_match, tagged
from flask_app.database import db
from flask_app.pages import read_page
from flask_app.resources import shop
from flask_app.schemas.items import ItemBatch, ItemIn, ItemOut, ItemPage, ItemPatch, ItemQuery, ItemsOut
from shared.http import conditional
from shared.shop import rules, statements
from shared.shop.limits import now
from shared.shop.tables import Item

bp = Blueprint("items", __name__, url_prefix="/api/items")
item_out = ItemOut()


@bp.get("")
@tagged
@api.query(ItemQuery)
@api.response(ItemPage)
def list_items(query: dict[str, Any]) -> dict[str, Any]:
    """A page of items, filtered and sorted."""
    return read_page(statements.items, query)


@bp.post("")
@auth.admin
@api.body(ItemIn)
@api.response(ItemOut, 201)
def create_item(fields: dict[str, Any]) -> tuple[Item, dict[str, str]]:
    """Create an item."""
    item = rules.new_item(fields, now())
    db().add(item)
    db().commit()
    shop().publisher.publish([item])
    return item, {"Location": f"/api/items/{item.id}"}


@bp.post("/batch")
@auth.admin
@api.body(ItemBatch)
@api.response(ItemsOut, 201)
def create_items(batch: dict[str, Any]) -> tuple[dict[str, Sequence[Item]], dict[str, str]]:
    """Create many items, all or none."""
    at = now()
    rows = [rules.new_item_row(fields, at) for fields in batch["items"]]
    items = db().scalars(statements.NEW_ITEMS, rows).all()
    db().commit()
    shop().publisher.publish(items)
    return {"items": items}, {"Location": "/api/items"}


@bp.get("/<id:item_id>")
@tagged
@api.response(ItemOut)
@api.problems(404)
def read_item(item_id: int) -> Item:
    """Read an item."""
    return rules.found(db().get(Item, item_id), "item")


@bp.get("/<id:item_id>/cached")
@tagged
@api.response(ItemOut)
@api.problems(404)
def read_cached_item(item_id: int) -> Response:
    """Read an item, out of the cache if it is there."""
    body, found = shop().item_cache.read(item_id, lambda: _json(rules.found(db().get(Item, item_id), "item")))
    return api.json_response(body, headers={"X-Cache": found})


@bp.put("/<id:item_id>")
@auth.admin
@api.body(ItemIn)
@api.response(ItemOut)
@api.problems(404, 412)
def replace_item(fields: dict[str, Any], item_id: int) -> Item:
    """Replace an item."""
    return _change(item_id, fields)


@bp.patch("/<id:item_id>")
@auth.admin
@api.body(ItemPatch)
@api.response(ItemOut)
@api.problems(404, 412)
def change_item(fields: dict[str, Any], item_id: int) -> Item:
    """Change some fields of an item."""
    return _change(item_id, fields)


@bp.delete("/<id:item_id>")
@auth.admin
@api.no_content
@api.problems(404, 409, 412)
def delete_item(item_id: int) -> None:
    """Delete an item that no order holds."""
    item, image = _item_as_seen(item_id), images.file_of(item_id)
    db().delete(item)
    db().commit()
    shop().item_cache.forget([item_id])
    images.remove(image)


def _change(item_id: int, fields: dict[str, Any]) -> Item:
    item = _item_as_seen(item_id)
    in_stock = item.stock
    rules.change_item(item, fields, now())
    db().commit()
    shop().item_cache.forget([item_id])
    shop().publisher.publish([item] if item.stock != in_stock else [])
    return item


def _item_as_seen(item_id: int) -> Item:
    """The item, locked; as the client has seen it, if it says what it has seen."""
    item = rules.found(db().scalar(statements.item_for_update(item_id)), "item")
    conditional.must_match(if_match(), lambda: _json(item))
    return item


def _json(item: Item) -> bytes:
    return orjson.dumps(item_out.dump(item))
