"""Items: what the shop sells."""

from typing import Any

from flask import Blueprint

from flask_app import api, auth
from flask_app.database import db
from flask_app.pages import read_page
from flask_app.schemas.items import ItemBatch, ItemIn, ItemOut, ItemPage, ItemPatch, ItemQuery, ItemsOut
from shared import rules, statements
from shared.limits import now
from shared.tables import Item

bp = Blueprint("items", __name__, url_prefix="/api/items")


@bp.get("")
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
    return item, {"Location": f"/api/items/{item.id}"}


@bp.post("/batch")
@auth.admin
@api.body(ItemBatch)
@api.response(ItemsOut, 201)
def create_items(batch: dict[str, Any]) -> tuple[dict[str, list[Item]], dict[str, str]]:
    """Create many items, all or none."""
    items = [rules.new_item(fields, at) for at in [now()] for fields in batch["items"]]
    db().add_all(items)
    db().commit()
    return {"items": items}, {"Location": "/api/items"}


@bp.get("/<id:item_id>")
@api.response(ItemOut)
@api.problems(404)
def read_item(item_id: int) -> Item:
    """Read an item."""
    return rules.found(db().get(Item, item_id), "item")


@bp.put("/<id:item_id>")
@auth.admin
@api.body(ItemIn)
@api.response(ItemOut)
@api.problems(404)
def replace_item(fields: dict[str, Any], item_id: int) -> Item:
    """Replace an item."""
    return _change(item_id, fields)


@bp.patch("/<id:item_id>")
@auth.admin
@api.body(ItemPatch)
@api.response(ItemOut)
@api.problems(404)
def change_item(fields: dict[str, Any], item_id: int) -> Item:
    """Change some fields of an item."""
    return _change(item_id, fields)


@bp.delete("/<id:item_id>")
@auth.admin
@api.no_content
@api.problems(404, 409)
def delete_item(item_id: int) -> None:
    """Delete an item that no order holds."""
    db().delete(rules.found(db().scalar(statements.item_for_update(item_id)), "item"))
    db().commit()


def _change(item_id: int, fields: dict[str, Any]) -> Item:
    item = rules.found(db().scalar(statements.item_for_update(item_id)), "item")
    rules.change_item(item, fields, now())
    db().commit()
    return item
