"""The shop as HTML pages, from the templates that both apps share."""

from typing import Any

from flask import Blueprint, Flask, render_template

from flask_app import api
from flask_app.database import db
from flask_app.pages import read_page
from flask_app.resources import shop
from flask_app.schemas.storefront import ShelfQuery
from flask_app.static import serve_files
from shared.http import storefront
from shared.shop import rules, statements
from shared.shop.tables import Item

bp = Blueprint("storefront", __name__, template_folder=str(storefront.TEMPLATES))
serve_files(bp, "/static", storefront.STATIC)


def init_app(app: Flask) -> None:
    """The pages and what they load, with Jinja set up as in the other app."""
    app.jinja_options = {**app.jinja_options, **storefront.OPTIONS}
    app.jinja_env.filters.update(storefront.FILTERS)
    app.register_blueprint(bp)


@bp.get("/")
def show_home() -> str:
    """Where to go from here."""
    return render_template("home.html", framework="Flask", server=shop().settings.server)


@bp.get("/items")
@api.query(ShelfQuery)
def show_items(query: dict[str, Any]) -> str:
    """A page of the items."""
    listed = read_page(statements.items, storefront.part(**query))
    return render_template("items.html", **storefront.shelf(listed, **query))


@bp.get("/items/<id:item_id>")
def show_item(item_id: int) -> str:
    """An item."""
    return render_template("item.html", item=rules.found(db().get(Item, item_id), "item"))


@bp.get("/live")
def show_live() -> str:
    """Stock changes as they happen, after the latest ones."""
    items = db().scalars(statements.last_changed(storefront.LIVE_ROWS)).all()
    return render_template("live.html", items=items)
