"""What the HTML pages share: templates, their environment, and the format of values."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined

from shared.shop.limits import ID_MAX, LOW_STOCK_MAX, rfc3339

TEMPLATES = Path(__file__).parents[1] / "templates"
STATIC = Path(__file__).parents[1] / "static"
PAGE_SIZE = 20
LIVE_ROWS = 20  # that the live page comes with
PAGE_MAX = ID_MAX // PAGE_SIZE

# For both environments. Jinja keeps compiled templates; without auto_reload it doesn't look at the files again.
OPTIONS: Mapping[str, Any] = {
    "autoescape": True,
    "auto_reload": False,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "undefined": StrictUndefined,
}


def part(page: int, q: str | None = None) -> dict[str, Any]:
    """The query of the API's list that gives the items of a page. An empty `q` finds everything."""
    return {"limit": PAGE_SIZE, "offset": (page - 1) * PAGE_SIZE} | ({"q": q} if q else {})


def shelf(listed: Mapping[str, Any], page: int, q: str | None = None) -> dict[str, Any]:
    """The variables of a page of items: the items themselves, and the pages before and after it, if there are any."""
    last = max(1, -(-listed["total"] // PAGE_SIZE))
    return {
        "items": listed["items"],
        "total": listed["total"],
        "q": q or "",
        "page": page,
        "last": last,
        "previous": min(page - 1, last) or None,
        "next": page + 1 if page < last else None,
    }


def price(cents: int) -> str:
    """`12.34`."""
    return f"{cents // 100}.{cents % 100:02d}"


def stock_level(stock: int) -> str:
    """`empty`, `low` or `plenty`."""
    if stock == 0:
        return "empty"
    return "low" if stock <= LOW_STOCK_MAX else "plenty"


def stock_words(stock: int) -> str:
    """How much is left, in words."""
    return {"empty": "sold out", "low": f"only {stock} left"}.get(stock_level(stock), f"{stock} in stock")


def day(moment: datetime) -> str:
    """`2026-01-31`, in UTC."""
    return rfc3339(moment)[:10]


FILTERS: Mapping[str, Callable[[Any], str]] = {
    "price": price,
    "stock_level": stock_level,
    "stock_words": stock_words,
    "rfc3339": rfc3339,
    "day": day,
}
