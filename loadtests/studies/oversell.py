"""How far "answer now, take the stock later" oversells, against the real route, on both apps.

Run as `make oversell`. Of an item 50 are in stock, and 200 buyers at once want one each: of one item by late orders,
of another by real ones.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from loadtests.config.selection import Options, select
from loadtests.errors import ServerError
from loadtests.machine.environment import open_environment
from shared.shop.seeded import PASSWORD

CONTESTANTS = ("flask-gthread", "fastapi-uvicorn")
STOCK, BUYERS, DELAY_MS = 50, 200, 3000
AT_ONCE = 40
SETTLED_S = 30.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Sale:
    """How many orders were accepted, and how many of them could not be filled."""

    accepted: int
    oversold: int


def sell_late(client: httpx2.Client, stock: int, buyers: int, delay_ms: int) -> Sale:
    """Late orders by all buyers at once; counted when all that was promised is taken or is known to be missing."""
    item_id = _new_item(client, stock)
    path = f"/api/probe/late-orders?delay_ms={delay_ms}"
    accepted = _all_at_once(client, path, {"item_id": item_id, "quantity": 1}, buyers).count(202)
    deadline_s = time.monotonic() + SETTLED_S + delay_ms / 1000
    while time.monotonic() < deadline_s:
        tally = client.get(f"/api/probe/late-orders/{item_id}").json()
        if tally["taken"] + tally["oversold"] == accepted:
            return Sale(accepted, tally["oversold"])
        time.sleep(POLL_S)
    raise ServerError(f"of {accepted} late orders some were never carried out")


def sell_really(client: httpx2.Client, stock: int, buyers: int) -> Sale:
    """Real orders by all buyers at once. What was confirmed beyond the stock is oversold."""
    line = {"item_id": _new_item(client, stock), "quantity": 1}
    confirmed = _all_at_once(client, "/api/orders", {"user_id": 1, "lines": [line]}, buyers).count(201)
    return Sale(confirmed, max(0, confirmed - stock))


@contextmanager
def signed_in(url: str) -> Iterator[httpx2.Client]:
    """A client that speaks for the admin of a seeded shop."""
    limits = httpx2.Limits(max_connections=AT_ONCE)
    credentials = {"username": "user_001", "password": PASSWORD}
    with httpx2.Client(base_url=url, timeout=60, limits=limits, trust_env=False) as client:
        token = client.post("/api/auth/token", json=credentials).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def _new_item(client: httpx2.Client, stock: int) -> int:
    item = {"name": "sold to everybody", "price_cents": 100, "stock": stock}
    return int(client.post("/api/items", json=item).raise_for_status().json()["id"])


def _all_at_once(client: httpx2.Client, path: str, body: dict[str, Any], buyers: int) -> list[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda _: client.post(path, json=body).status_code, range(buyers)))


def main() -> None:
    """Prints a table: two lines per server."""
    servers = select(Options(contestants=CONTESTANTS, scenarios=("ping",))).contestants
    lines = [
        f"{BUYERS} buyers, {STOCK} in stock",
        f"{'server':<18}{'route':<14}{'accepted':>9}{'oversold':>10}",
    ]
    with open_environment(seed=0) as environment, environment.servers(servers) as endpoints:
        for name, endpoint in endpoints.items():
            with signed_in(f"http://{endpoint.host}:{endpoint.port}") as client:
                late = sell_late(client, STOCK, BUYERS, DELAY_MS)
                real = sell_really(client, STOCK, BUYERS)
            lines += [
                f"{name:<18}{route:<14}{sale.accepted:>9}{sale.oversold:>10}"
                for route, sale in (("late-orders", late), ("orders", real))
            ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
