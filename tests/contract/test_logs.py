"""Log lines: one JSON document each, with the id of the request."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO

import pytest

from shared.ops.settings import Settings
from shared.ops.telemetry import logger_of, set_log_level
from tests.support.clients import Opened
from tests.support.shop import TIMESTAMP

FIELDS = ["timestamp", "level", "logger", "message", "request_id"]


@pytest.fixture(scope="module")
def plain(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


@contextmanager
def lines_of(*names: str) -> Iterator[list[dict[str, object]]]:
    """The lines that loggers write while the block lasts, in a list that is filled when it ends."""
    written, lines = StringIO(), list[dict[str, object]]()
    handlers = [
        handler
        for name in names
        for handler in logger_of(name).handlers
        if type(handler) is logging.StreamHandler  # pytest adds one of its own, which is a kind of them
    ]
    before = [handler.setStream(written) for handler in handlers]
    try:
        yield lines
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            handler.setStream(stream)
        lines += [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    yield
    set_log_level("INFO")


def test_a_failure_is_one_line_with_the_request_id_and_the_reason(
    opened: Opened, plain: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.shop.rules.computed_items", lambda count: 1 / count)
    with opened(plain) as client, lines_of("shop.flask", "shop.fastapi") as lines:
        client.get("/api/probe/json?n=0", headers={"X-Request-ID": "mine"})
    [line] = lines
    assert list(line) == [*FIELDS, "exception"]
    assert TIMESTAMP.fullmatch(str(line["timestamp"]))
    assert (line["level"], line["message"], line["request_id"]) == ("ERROR", "unexpected failure", "mine")
    assert str(line["exception"]).endswith("ZeroDivisionError: division by zero")


def test_an_answer_is_one_line_when_the_access_log_is_on(opened: Opened, plain: Settings) -> None:
    with opened(replace(plain, access_log=True)) as client, lines_of("shop.access") as lines:
        client.get("/api/items/999999?secret=x", headers={"X-Request-ID": "mine"})
        client.request("BREW", client.base_url.copy_with(raw_path=b"/%C3%A9%0A%FF"))
    first, second = lines
    assert list(first) == [*FIELDS, "method", "path", "status", "duration_ms", "client"]
    assert first["request_id"] == "mine"
    assert (first["method"], first["path"], first["status"]) == ("GET", "/api/items/999999", 404)
    assert float(str(first["duration_ms"])) > 0
    assert (second["method"], second["path"], second["status"]) == ("BREW", "/é\n\ufffd", 404)


def test_without_the_access_log_there_is_no_line(opened: Opened, plain: Settings) -> None:
    with opened(plain) as client, lines_of("shop.access") as lines:
        client.get("/api/probe/ping")
    assert lines == []


def test_lines_below_the_level_are_left_out(opened: Opened, plain: Settings) -> None:
    loud = replace(plain, access_log=True, log_level="WARNING")
    with opened(loud) as client, lines_of("shop.access") as lines:
        client.get("/api/probe/ping")
    assert lines == []
