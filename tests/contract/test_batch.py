"""A batch of items is one statement, however many they are; the answer is in the order of the request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, event

from tests.support.shop import created, in_process, unique


@contextmanager
def sent_to_the_database() -> Iterator[list[str]]:
    """The statements that any engine of this process sends meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def some_items(count: int, mark: str) -> list[dict[str, Any]]:
    """Items that differ in which fields they have: by turns no description, null, and a text."""
    given: list[dict[str, Any]] = [{}, {"description": None, "stock": 3}, {"description": "Oak"}]
    return [{"name": f"{mark} {place}", "price_cents": place} | given[place % 3] for place in range(count)]


@in_process
@pytest.mark.parametrize("count", [1, 20, 1000])
def test_a_batch_is_one_statement_whatever_its_size(client: httpx2.Client, count: int) -> None:
    items = some_items(count, unique("batch"))
    with sent_to_the_database() as sent:
        made = created(client.post("/api/items/batch", json={"items": items}))["items"]
    # An app that has just started may be looking for mails that are pending.
    statements = [statement.split()[:3] for statement in sent if "outbox" not in statement]
    assert statements == [["INSERT", "INTO", "items"]]
    assert [item["name"] for item in made] == [item["name"] for item in items]
    assert [item["description"] for item in made] == [item.get("description") for item in items]
    ids = [item["id"] for item in made]
    assert ids == sorted(set(ids))


@in_process
def test_a_batch_is_stored_as_it_was_answered(client: httpx2.Client) -> None:
    mark = unique("batch")
    made = created(client.post("/api/items/batch", json={"items": some_items(20, mark)}))["items"]
    assert client.get("/api/items", params={"q": mark, "limit": 100}).json()["items"] == made
    assert len({(item["created_at"], item["updated_at"]) for item in made}) == 1
