import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.config.contestants import load_contestants
from loadtests.errors import CatalogError

CATALOG = Path(__file__).parents[2] / "loadtests" / "catalog"

ENTRY = """
[[contestant]]
name = "mine"
title = "Mine"
framework = "flask"
gateway = "wsgi"
command = ["serve", "{port}"]
"""


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    (tmp_path / "scenarios.toml").write_text((CATALOG / "scenarios.toml").read_text())
    return tmp_path


def refusal(catalog: Path, text: str) -> str:
    (catalog / "contestants.toml").write_text(text)
    with pytest.raises(CatalogError) as caught:
        load_contestants(catalog)
    return str(caught.value)


def test_the_catalog_holds_every_server_beside_its_floor() -> None:
    contestants = load_contestants(CATALOG)

    assert [name for name, one in contestants.items() if one.workers == 1] == [
        "flask-sync",
        "flask-gthread",
        "flask-gevent",
        "flask-granian",
        "fastapi-uvicorn",
        "fastapi-uvicorn-pure",
        "fastapi-gunicorn",
        "fastapi-granian",
        "raw-wsgi-gthread",
        "raw-wsgi-gevent",
        "raw-wsgi-granian",
        "raw-asgi-uvicorn",
        "raw-asgi-granian",
        "flask-async-views",
        "fastapi-sync",
        "fastapi-uvicorn-flat",
        "fastapi-uvicorn-frozen",
        "flask-gthread-frozen",
        "flask-gevent-frozen",
    ]


def test_several_workers_differ_from_one_in_their_number_alone() -> None:
    contestants = load_contestants(CATALOG)
    several = [one for one in contestants.values() if one.workers > 1]

    assert sorted({one.workers for one in several}) == [2, 4]
    for one in several:
        base = contestants[one.name.removesuffix(f"-{one.workers}w")]
        same = replace(one, name=base.name, title=base.title, workers=1)
        alone = tuple(word.replace("{workers}", "1") for word in one.command)
        assert replace(same, command=alone) == base
        assert one.title == f"{base.title}, {one.workers} workers"


def test_uvicorn_never_trusts_a_proxy() -> None:
    commands = [one.command for one in load_contestants(CATALOG).values() if "uvicorn" in one.command]

    assert commands
    assert all("--no-proxy-headers" in command for command in commands)


def test_only_flask_sync_closes_its_connections() -> None:
    contestants = load_contestants(CATALOG)

    assert [one.name for one in contestants.values() if not one.keep_alive] == ["flask-sync"]


def test_floors_answer_ping_only_and_need_no_database() -> None:
    floors = [one for one in load_contestants(CATALOG).values() if one.framework == "raw"]

    assert all(one.scenarios == ("ping",) and not one.needs_database for one in floors)
    assert floors[0].answers("ping")
    assert not floors[0].answers("item-read")


def test_optional_keys_have_defaults(catalog: Path) -> None:
    (catalog / "contestants.toml").write_text(ENTRY)

    mine = load_contestants(catalog)["mine"]

    assert (mine.environment, mine.keep_alive, mine.scenarios, mine.needs_database) == ({}, True, None, True)
    assert mine.workers == 1
    assert mine.answers("shop")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('colour = "red"', ("mine", "unknown key 'colour'", "the keys are name")),
        ("keep_alive = 1", ("mine", "keep_alive is 1", "true or false")),
        ('scenarios = ["nap"]', ("mine", "no scenario 'nap'", "ping")),
        ("environment = {A = 1}", ("mine", "environment", "a table of strings")),
        ("workers = 0", ("mine", "workers is 0", "a whole number above 0")),
    ],
)
def test_a_wrong_entry_is_one_line_with_file_entry_and_remedy(
    catalog: Path, change: str, words: tuple[str, ...]
) -> None:
    message = refusal(catalog, ENTRY + change)

    assert all(word in message for word in ("contestants.toml", *words))
    assert "\n" not in message


def test_a_missing_key_is_named(catalog: Path) -> None:
    assert "mine: title is missing" in refusal(catalog, ENTRY.replace('title = "Mine"', ""))


def test_a_gateway_is_one_of_two(catalog: Path) -> None:
    assert "one of wsgi, asgi" in refusal(catalog, ENTRY.replace('"wsgi"', '"cgi"'))


def test_a_name_is_used_once(catalog: Path) -> None:
    assert "mine: the name is used twice" in refusal(catalog, ENTRY + ENTRY)


def test_a_name_cannot_look_like_a_twin(catalog: Path) -> None:
    assert "choose a name without it" in refusal(catalog, ENTRY.replace('"mine"', '"mine#2"'))


def test_a_command_must_take_its_port(catalog: Path) -> None:
    assert "command has no {port}" in refusal(catalog, ENTRY.replace("{port}", "8000"))


def test_another_table_is_refused(catalog: Path) -> None:
    assert "unknown table 'contestants'" in refusal(catalog, ENTRY.replace("contestant]", "contestants]"))


def test_an_empty_file_is_refused(catalog: Path) -> None:
    assert "no entries" in refusal(catalog, "")


def test_broken_toml_is_told_with_its_line(catalog: Path) -> None:
    message = refusal(catalog, ENTRY + "command = [")

    assert "not valid TOML" in message
    assert "line" in message


def test_a_missing_file_is_told(catalog: Path) -> None:
    with pytest.raises(CatalogError, match=r"contestants\.toml: cannot be read"):
        load_contestants(catalog)


def test_the_file_is_plain_toml_that_a_user_can_edit() -> None:
    document = tomllib.loads((CATALOG / "contestants.toml").read_text())

    assert {entry["name"] for entry in document["contestant"]} == set(load_contestants(CATALOG))
