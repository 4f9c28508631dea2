"""The shop as HTML pages, from the templates that both apps share."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader

from fastapi_app.api import Id, ShopRoute
from fastapi_app.database import Db
from fastapi_app.pages import read_page
from fastapi_app.resources import Shop
from fastapi_app.schemas.items import ItemQuery
from fastapi_app.schemas.storefront import ShelfQuery
from shared.http import storefront
from shared.shop import rules, statements
from shared.shop.tables import Item

router = APIRouter(route_class=ShopRoute, include_in_schema=False)
# autoescape is among the options.
environment = Environment(loader=FileSystemLoader(storefront.TEMPLATES), **storefront.OPTIONS)  # noqa: S701
environment.filters.update(storefront.FILTERS)
templates = Jinja2Templates(env=environment)


@router.get("/")
async def show_home(request: Request, shop: Shop) -> Response:
    """Where to go from here."""
    told = {"framework": "FastAPI", "server": shop.settings.server}
    return templates.TemplateResponse(request, "home.html", told)


@router.get("/items")
async def show_items(request: Request, query: Annotated[ShelfQuery, Query()], db: Db) -> Response:
    """A page of the items."""
    listed = await read_page(db, statements.items, ItemQuery(**storefront.part(**query.model_dump())))
    return templates.TemplateResponse(request, "items.html", storefront.shelf(listed, **query.model_dump()))


@router.get("/items/{item_id:id}")
async def show_item(request: Request, item_id: Id, db: Db) -> Response:
    """An item."""
    item = rules.found(await db.get(Item, item_id), "item")
    return templates.TemplateResponse(request, "item.html", {"item": item})


@router.get("/live")
async def show_live(request: Request, db: Db) -> Response:
    """Stock changes as they happen, after the latest ones."""
    items = (await db.scalars(statements.last_changed(storefront.LIVE_ROWS))).all()
    return templates.TemplateResponse(request, "live.html", {"items": items})
