import json
from collections import Counter
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from loadtests.config.scenarios import load_scenarios
from loadtests.errors import CatalogError
from loadtests.load.requests import Prepared, prepare, prepare_setup
from shared.http.tokens import caller_of
from shared.ops.settings import DEVELOPMENT_SECRET
from shared.shop.callers import Caller

CATALOG = Path(__file__).parents[2] / "loadtests" / "catalog"

ENTRY = """
[[scenario]]
name = "mine"
title = "Mine"
question = "Is it mine?"
[[scenario.requests]]
method = "GET"
path = "/mine/{item_id}"
keys = ["id"]
"""


def body_of(request: Prepared) -> bytes:
    return request.wire.partition(b"\r\n\r\n")[2]


def headers_of(request: Prepared) -> dict[str, str]:
    lines = request.wire.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    return dict(line.split(": ") for line in lines[1:])


def prepared(name: str, seed: int = 1) -> tuple[Prepared, ...]:
    return prepare(load_scenarios(CATALOG)[name], seed)


def refusal(folder: Path, text: str) -> str:
    (folder / "scenarios.toml").write_text(text)
    with pytest.raises(CatalogError) as caught:
        load_scenarios(folder)
    return str(caught.value)


def test_the_catalog_opens_with_the_scenarios_of_a_quick_run() -> None:
    names = ["ping", "item-read", "item-list", "order-create", "echo", "sleep-50ms", "shop"]

    assert list(load_scenarios(CATALOG))[:7] == names


def test_sleep_is_driven_in_closed_loop_only_with_long_slices() -> None:
    scenarios = load_scenarios(CATALOG)

    assert (scenarios["sleep-50ms"].slice_ms, scenarios["sleep-50ms"].open_slice_ms) == (500, None)


def test_scenarios_in_which_requests_wait_for_a_free_thread_say_so() -> None:
    assert {one.name for one in load_scenarios(CATALOG).values() if one.waits} == {
        "sleep-50ms",
        "partner-one",
    }


def test_requests_are_drawn_from_the_seed_alone() -> None:
    assert prepared("shop", seed=7) == prepared("shop", seed=7)
    assert prepared("shop", seed=7) != prepared("shop", seed=8)


HTTP = [name for name, one in load_scenarios(CATALOG).items() if one.kind == "http"]


def test_a_message_is_a_frame_with_the_body_masked() -> None:
    server = ServerProtocol(state=OPEN)
    for message in prepared("ws-echo"):
        server.receive_data(message.wire)
        [frame] = server.events_received()
        assert isinstance(frame, Frame)
        assert frame.opcode == Opcode.TEXT
        assert list(json.loads(bytes(frame.data))) == ["item_id", "note"]


@pytest.mark.parametrize(
    "more",
    ['body = "x"\n[[scenario.requests]]\nmethod = "GET"\npath = "/other"\nbody = "x"\nkeys = []', ""],
)
def test_messages_go_one_way_and_say_something(tmp_path: Path, more: str) -> None:
    entry = ENTRY.replace('name = "mine"', 'name = "mine"\nkind = "websocket"')

    assert refusal(tmp_path, f"{entry}{more}\n").endswith(
        "scenario mine: give all messages the same path, and each a body"
    )


@pytest.mark.parametrize("name", HTTP)
def test_every_request_is_complete_http_with_the_length_of_its_body(name: str) -> None:
    for request in prepared(name):
        head, _, body = request.wire.partition(b"\r\n\r\n")
        headers = headers_of(request)

        assert head.split(b"\r\n")[0].endswith(b" HTTP/1.1")
        assert headers["Host"] == "sidebyside"
        assert int(headers.get("Content-Length", "0")) == len(body)
        assert b"{" not in head


def test_orders_hold_three_distinct_items_that_are_in_stock() -> None:
    for request in prepared("order-create"):
        order = json.loads(body_of(request))
        items = [line["item_id"] for line in order["lines"]]

        assert len(set(items)) == 3
        assert all(1 <= item <= 1000 and item % 10 for item in items)
        assert {line["quantity"] for line in order["lines"]} <= {1, 2}
        assert 1 <= order["user_id"] <= 200
        assert request.status == 201


def test_whoever_orders_sends_a_token_of_their_own() -> None:
    for request in prepared("order-create"):
        authorization = headers_of(request)["Authorization"]

        caller = caller_of(authorization.removeprefix("Bearer "), DEVELOPMENT_SECRET)
        assert caller == Caller(json.loads(body_of(request))["user_id"], caller.user_id == 1)


def test_what_is_to_be_unique_is_new_whenever_it_is_sent(tmp_path: Path) -> None:
    text = ENTRY.replace('"GET"', '"POST"') + 'body = \'{"name":"n{unique}","again":"{unique}"}\''
    (tmp_path / "scenarios.toml").write_text(text)
    request = prepare(load_scenarios(tmp_path)["mine"], seed=1, count=1)[0]

    sent = [json.loads(request.numbered(serial).partition(b"\r\n\r\n")[2]) for serial in (7, 10**15)]

    assert sent[0] == {"name": "n0000000000000007", "again": "0000000000000007"}
    assert sent[1]["again"] == "1000000000000000"
    assert len(request.numbered(7)) == len(request.wire)


def test_a_body_of_another_type_says_so_once(tmp_path: Path) -> None:
    row = 'headers = { Content-Type = "text/csv" }\nbody = "a,b"\njson = false'
    (tmp_path / "scenarios.toml").write_text(ENTRY.replace('keys = ["id"]', row))
    request = prepare(load_scenarios(tmp_path)["mine"], seed=1, count=1)[0]

    assert request.wire.count(b"Content-Type") == 1
    assert headers_of(request)["Content-Type"] == "text/csv"
    assert not request.json


def test_setup_comes_before_the_requests_and_each_of_it_once(tmp_path: Path) -> None:
    setup = '[[scenario.setup]]\nmethod = "PUT"\npath = "/made"\nkeys = []\n'
    (tmp_path / "scenarios.toml").write_text(ENTRY + setup)
    scenario = load_scenarios(tmp_path)["mine"]

    assert [one.wire.split(b" ")[:2] for one in prepare_setup(scenario, seed=1)] == [[b"PUT", b"/made"]]
    assert all(one.wire.startswith(b"GET /mine/") for one in prepare(scenario, seed=1))


def test_echo_sends_twenty_lines() -> None:
    assert all(len(json.loads(body_of(request))["lines"]) == 20 for request in prepared("echo"))


def test_a_batch_is_twenty_of_what_is_created_one_by_one() -> None:
    items = [json.loads(body_of(request)) for request in prepared("create-single")]
    batches = [json.loads(body_of(request))["items"] for request in prepared("create-batch")]

    assert {len(batch) for batch in batches} == {20}
    assert {tuple(item) for item in [*items, *chain(*batches)]} == {
        ("name", "description", "price_cents", "stock")
    }
    assert {item["description"] is None for item in items} == {True, False}


def test_pages_are_no_json_and_three_of_four_are_items() -> None:
    requests = prepare(load_scenarios(CATALOG)["item-pages"], seed=3, count=20_000)

    assert not any(request.json for request in requests)
    lists = sum(request.wire.startswith(b"GET /items ") for request in requests)
    assert lists / 20_000 == pytest.approx(0.25, abs=0.02)


def test_popular_items_are_few() -> None:
    paths = {request.wire.split(b" ")[1] for request in prepared("item-cached")}

    assert paths == {b"/api/items/%d/cached" % item for item in range(1, 6)}


def test_the_shop_keeps_its_mix() -> None:
    requests = prepare(load_scenarios(CATALOG)["shop"], seed=3, count=20_000)

    statuses = Counter(request.status for request in requests)

    assert statuses[201] / 20_000 == pytest.approx(0.08, abs=0.01)
    assert statuses[422] / 20_000 == pytest.approx(0.02, abs=0.005)


def test_lists_are_asked_for_in_several_ways() -> None:
    paths = {request.wire.split(b" ")[1] for request in prepared("item-list")}

    for word in (b"q=", b"min_price=", b"in_stock=true", b"sort=-price", b"offset="):
        assert any(word in path for path in paths)
    assert all(path.startswith(b"/api/items?limit=20") for path in paths)


def test_no_export_holds_what_other_scenarios_create() -> None:
    created = [json.loads(body_of(one))["price_cents"] for one in prepared("create-single")]
    queries = [parse_qs(urlsplit(one.wire.split(b" ")[1]).query) for one in prepared("export")]

    assert created
    assert queries
    assert all(int(query[b"min_price"][0]) > max(created) for query in queries)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY.replace("{item_id}", "{colour}"), ("mine: request 1", "unknown field {colour}", "item_id")),
        (ENTRY.replace('"/mine', '"mine'), ("mine: request 1", "start it with a slash")),
        (ENTRY.replace('"GET"', '"FETCH"'), ("mine: request 1", "one of GET, POST")),
        (ENTRY.replace('keys = ["id"]', ""), ("mine: request 1", "keys is missing")),
        (ENTRY.replace("question", "slice_ms = -5\nquestion"), ("mine", "slice_ms is -5", "above 0")),
        (ENTRY.replace("question", "concurrency = true\nquestion"), ("mine", "concurrency is True")),
        (ENTRY + ENTRY, ("mine", "used twice")),
    ],
)
def test_a_wrong_entry_is_one_line_with_file_entry_and_remedy(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    message = refusal(tmp_path, text)

    assert all(word in message for word in ("scenarios.toml", *words))
    assert "\n" not in message


def test_what_may_differ_is_named_by_pointers(tmp_path: Path) -> None:
    (tmp_path / "scenarios.toml").write_text(ENTRY + 'varies = ["/id", "/lines/*/stock"]\n')

    (request, *_) = prepare(load_scenarios(tmp_path)["mine"], seed=1)

    assert request.varies == ("/id", "/lines/*/stock")


def test_a_pointer_begins_with_a_slash(tmp_path: Path) -> None:
    message = refusal(tmp_path, ENTRY + 'varies = ["id"]\n')

    assert "varies has 'id'; write pointers such as /items/*/id, or * alone" in message
