"""Exports: every item that a filter lets through, in pieces that are made as they are sent."""

import asyncio
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import httpx2
import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from fastapi_app.app import create_app as create_fastapi_app
from loadtests.machine.reachable import libpq_url
from shared.ops.settings import Settings
from tests.support import clients
from tests.support.shop import JWT_SECRET, an_item, anonymous, faults, in_process, problem, unique

COLUMNS = ["id", "name", "description", "price_cents", "stock", "created_at", "updated_at"]
FETCHING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'FETCH FORWARD%'"
)


def items_in(response: httpx2.Response) -> list[Any]:
    """The items of an NDJSON export."""
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.content.splitlines()]


def test_an_export_has_the_items_as_the_api_answers_them(client: httpx2.Client) -> None:
    mark = unique("mark")
    made = [an_item(client, name=f"{mark} {name}", price_cents=5) for name in ("a", "b", "c")]
    response = anonymous(client, "GET", f"/api/items/export.ndjson?q={mark}&sort=-name")
    assert items_in(response) == made[::-1]
    assert list(items_in(response)[0]) == COLUMNS
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["content-disposition"] == 'attachment; filename="items.ndjson"'
    assert "content-length" not in response.headers


def test_a_csv_export_is_as_rfc_4180_says_and_keeps_every_cell_as_it_is(client: httpx2.Client) -> None:
    mark = unique("mark")
    cells = {f'{mark} a "quoted", name': "", f"=1+1 {mark}": None, f"{mark}\r\nline é": "x\ny"}
    made = [an_item(client, name=name, description=text) for name, text in cells.items()]
    response = client.get(f"/api/items/export.csv?q={mark}")
    text = response.content.decode()
    head, *rows = csv.reader(StringIO(text, newline=""))
    assert head == COLUMNS
    assert rows == [["" if item[key] is None else str(item[key]) for key in COLUMNS] for item in made]
    assert text.startswith(
        ",".join(COLUMNS) + "\r\n" + f'{made[0]["id"]},"{mark} a ""quoted"", name",,250,10,'
    )
    assert text.endswith("\r\n")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="items.csv"'


def test_all_items_are_exported_in_order(client: httpx2.Client) -> None:
    exported = items_in(client.get("/api/items/export.ndjson?sort=-price&max_price=50000&in_stock=true"))
    page = client.get("/api/items?sort=-price&max_price=50000&in_stock=true&limit=100").json()
    assert (len(exported), exported[:100]) == (page["total"], page["items"])
    lines = client.get("/api/items/export.csv?sort=-price&max_price=50000&in_stock=true").content
    assert [row[0] for row in csv.reader(StringIO(lines.decode()))][1:] == [
        str(one["id"]) for one in exported
    ]


@in_process
def test_nothing_found_is_an_empty_export(client: httpx2.Client) -> None:
    nothing = unique("nothing")
    assert client.get(f"/api/items/export.ndjson?q={nothing}").content == b""
    assert client.get(f"/api/items/export.csv?q={nothing}").text == ",".join(COLUMNS) + "\r\n"


@in_process
def test_an_export_knows_the_filters_of_the_list_but_no_pages(client: httpx2.Client) -> None:
    for path in ("/api/items/export.csv", "/api/items/export.ndjson"):
        assert faults(client.get(f"{path}?min_price=x&sort=size")) == [
            ("?min_price", "wrong_type"),
            ("?sort", "not_allowed"),
        ]
    assert len(items_in(client.get("/api/items/export.ndjson?limit=1&offset=x"))) >= 1000


@pytest.fixture(params=[clients.flask_client, clients.fastapi_client])
def without_database(request: pytest.FixtureRequest, new_settings: Callable[[], Settings]) -> Iterator[Any]:
    """An app whose database can't be reached."""
    settings = Settings("postgresql://127.0.0.1:1/nowhere", new_settings().redis_url, JWT_SECRET)
    with request.param(settings) as client:
        yield client


def test_head_answers_without_a_query_and_get_says_that_the_database_is_away(
    without_database: httpx2.Client,
) -> None:
    head = without_database.head("/api/items/export.csv")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "text/csv; charset=utf-8"
    assert "content-length" not in head.headers
    problem(without_database.get("/api/items/export.csv"), 503, "unavailable")


@dataclass(frozen=True, slots=True)
class Export:
    """What became of an export of two pieces: those that were sent, how it ended, and what is still in use."""

    sent: list[bytes]
    failed: BaseException | None
    connections: int


Meanwhile = Callable[[Settings], None]
Exporting = Callable[[Settings, Meanwhile, bool], Export]


def flask_export(settings: Settings, meanwhile: Meanwhile, leave: bool) -> Export:
    """Does something when the first piece was sent; then asks for the rest, or closes as servers do."""
    failed = None
    with clients.flask_shop(settings) as app:
        pieces: Any = app(clients.environ_of(GET), lambda *_: None)  # type: ignore[arg-type]
        sent = [next(pieces)]
        meanwhile(settings)
        try:
            sent += () if leave else pieces
        except OperationalError as error:
            failed = error
        pieces.close()
        return Export(sent, failed, app.extensions["shop"].engine.pool.checkedout())


def fastapi_export(settings: Settings, meanwhile: Meanwhile, leave: bool) -> Export:
    """The same, for a client that goes away as uvicorn tells it, while the next piece waits to be sent."""
    return asyncio.run(_fastapi_export(settings, meanwhile, leave))


async def _fastapi_export(settings: Settings, meanwhile: Meanwhile, leave: bool) -> Export:
    app, gone, sent, failed = create_fastapi_app(settings), asyncio.Event(), [], None

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message.get("body"):
            sent.append(message["body"])
            if len(sent) == 1:
                await asyncio.to_thread(meanwhile, settings)
                if leave:
                    gone.set()
                    await asyncio.Event().wait()

    async with app.router.lifespan_context(app):
        try:
            await app(SCOPE, receive, send)
        except Exception as error:  # whichever it is, the server closes the connection
            failed = error
        pool = app.state.resources.engine.sync_engine.pool
        for _ in range(1000):  # SQLAlchemy shields the closing of a session, which ends a little later then
            if pool.checkedout():
                await asyncio.sleep(0.01)
        return Export(sent, failed, pool.checkedout())


GET = httpx2.Request("GET", "http://shop/api/items/export.ndjson")
SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/api/items/export.ndjson",
    "raw_path": b"/api/items/export.ndjson",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"shop")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 2),
}
both_apps = pytest.mark.parametrize("export", [flask_export, fastapi_export])


def backends(settings: Settings) -> list[int]:
    """The database's processes that stand between two pieces of an export."""
    with psycopg.connect(libpq_url(settings.database_url)) as connection:
        return [pid for (pid,) in connection.execute(FETCHING).fetchall()]


def end_backends(settings: Settings) -> None:
    """Ends these processes, as an operator or a crash would."""
    with psycopg.connect(libpq_url(settings.database_url), autocommit=True) as connection:
        for pid in backends(settings):
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@both_apps
def test_the_first_rows_are_sent_while_the_database_holds_the_others(
    export: Exporting, new_settings: Callable[[], Settings]
) -> None:
    fetching: list[int] = []
    done = export(new_settings(), lambda settings: fetching.extend(backends(settings)), False)
    assert [len(piece.splitlines()) for piece in done.sent] == [500, 500]
    assert (len(fetching), done.failed, done.connections) == (1, None, 0)


@both_apps
def test_the_connection_is_given_back_when_the_client_goes_away(
    export: Exporting, new_settings: Callable[[], Settings]
) -> None:
    done = export(new_settings(), lambda _: None, True)
    assert (len(done.sent), done.failed, done.connections) == (1, None, 0)


@both_apps
def test_an_export_that_breaks_off_does_not_end_well(
    export: Exporting, new_settings: Callable[[], Settings]
) -> None:
    done = export(new_settings(), end_backends, False)
    assert (len(done.sent), done.connections) == (1, 0)
    assert done.failed is not None
