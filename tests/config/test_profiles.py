"""Profiles and claims: what the catalog holds, and how it is refused."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from loadtests.config.catalog import Catalog
from loadtests.config.profiles import headline, load_claims, load_profiles
from loadtests.config.selection import CATALOG
from loadtests.errors import CatalogError

OURS = Catalog(CATALOG)
PROFILE = """
[[profile]]
name = "mine"
title = "Mine"
budget_s = 60
max_rounds = 5
"""
CLAIM = """
[[claim]]
name = "mine"
a = "flask-sync"
b = "fastapi-uvicorn"
title = "Mine"
"""


def refusal(folder: Path, text: str, contestants: Iterable[str] = (), scenarios: Iterable[str] = ()) -> str:
    kind = "profiles" if "[[profile" in text else "claims"
    (folder / f"{kind}.toml").write_text(text)
    with pytest.raises(CatalogError) as caught:
        load_profiles(folder, contestants, scenarios) if kind == "profiles" else load_claims(folder)
    return str(caught.value)


def test_the_catalog_holds_three_profiles_each_longer_than_the_one_before() -> None:
    profiles = OURS.profiles

    assert list(profiles) == ["quick", "standard", "thorough"]
    assert profiles["quick"].budget_s <= 300
    assert [one.budget_s for one in profiles.values()] == sorted(one.budget_s for one in profiles.values())


def test_every_twin_is_a_contestant() -> None:
    known = OURS.contestants

    assert all(twin in known for one in OURS.profiles.values() for twin in one.twins)


def test_the_quick_profile_is_about_the_headline_pair_and_the_floors_under_it() -> None:
    quick = OURS.profiles["quick"]

    pair = headline(OURS.claims)
    assert pair is not None
    assert set(quick.contestants) - {pair.a, pair.b} == {"raw-wsgi-gthread", "raw-asgi-uvicorn"}
    assert quick.scenarios == ("ping", "item-read", "item-list", "order-create", "echo", "shop")
    assert quick.open_scenarios == ("item-read", "shop")


def test_each_profile_runs_what_the_one_before_runs() -> None:
    contestants = [set(one.contestants) for one in OURS.profiles.values()]

    assert contestants[0] < contestants[1] < contestants[2]


def test_the_thorough_profile_runs_every_contestant_with_one_worker() -> None:
    thorough = OURS.profiles["thorough"]
    single = {name for name, one in OURS.contestants.items() if one.workers == 1}

    assert set(thorough.contestants) == single


def test_what_has_a_curve_has_an_open_loop() -> None:
    for one in OURS.profiles.values():
        assert {*one.curve_scenarios} <= {*one.open_scenarios} <= {*one.scenarios}
        assert all(OURS.scenarios[name].open_slice_ms for name in one.open_scenarios)


def test_no_headline_is_about_waiting() -> None:
    """What waits for 50 ms depends on users and threads alone."""
    assert not any(OURS.scenarios[name].waits for name in OURS.profiles["quick"].scenarios)


def test_every_twin_of_a_profile_is_run() -> None:
    assert all(set(one.twins) <= set(one.contestants) for one in OURS.profiles.values())


def test_every_claim_is_about_contestants_that_there_are() -> None:
    known = OURS.contestants

    assert [claim for claim in OURS.claims if claim.a not in known or claim.b not in known] == []


def test_every_server_that_has_a_floor_is_held_against_it() -> None:
    floors = {name for name, one in OURS.contestants.items() if one.framework == "raw"}

    assert {claim.b for claim in OURS.claims} >= floors


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('contestants = ["django"]', ("mine", "no contestant 'django'", "flask-sync")),
        ('scenarios = ["nap"]', ("mine", "no scenario 'nap'", "ping")),
        ('open_scenarios = ["nap"]', ("mine", "no scenario 'nap'", "ping")),
        ('curve_scenarios = ["nap"]', ("mine", "no scenario 'nap'", "ping")),
    ],
)
def test_a_profile_names_what_the_catalog_has(tmp_path: Path, change: str, words: tuple[str, ...]) -> None:
    message = refusal(tmp_path, PROFILE + change, OURS.contestants, OURS.scenarios)

    assert all(word in message for word in ("profiles.toml", *words))
    assert "\n" not in message


def test_optional_keys_of_a_profile_have_defaults(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text(PROFILE)

    mine = load_profiles(tmp_path, (), ())["mine"]

    assert (mine.warmup_ms, mine.open_load, mine.margin, mine.twins) == (100, 0.5, 0.03, ())
    assert (mine.open_share, mine.open_scenarios, mine.curve_scenarios) == (0.4, (), ())
    assert mine.steal_limit_percent == 30
    assert (mine.contestants, mine.scenarios) == ((), ())


def test_the_headline_claim_is_flask_against_fastapi() -> None:
    headlines = [claim for claim in OURS.claims if claim.headline]

    assert [(claim.a, claim.b) for claim in headlines] == [("flask-gthread", "fastapi-uvicorn")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("margin = 3", ("mine", "margin is 3", "a fraction between 0 and 1")),
        ("open_load = 1.0", ("mine", "open_load is 1.0", "a fraction between 0 and 1")),
        ("steal_limit_percent = 101", ("mine", "steal_limit_percent is 101", "a percentage up to 100")),
        ("margin = true", ("mine", "margin is True")),
        ('twins = "flask-sync"', ("mine", "twins is 'flask-sync'", "a list of strings")),
        ('contestants = "flask-sync"', ("mine", "contestants is 'flask-sync'", "a list of strings")),
        ("speed = 1", ("mine", "unknown key 'speed'")),
    ],
)
def test_a_wrong_profile_is_one_line_with_file_entry_and_remedy(
    tmp_path: Path, change: str, words: tuple[str, ...]
) -> None:
    message = refusal(tmp_path, PROFILE + change)

    assert all(word in message for word in ("profiles.toml", *words))
    assert "\n" not in message


def test_a_profile_without_a_budget_is_refused(tmp_path: Path) -> None:
    assert "mine: budget_s is missing" in refusal(tmp_path, PROFILE.replace("budget_s = 60", ""))


def test_a_claim_needs_two_contestants(tmp_path: Path) -> None:
    message = refusal(tmp_path, CLAIM.replace("fastapi-uvicorn", "flask-sync"))

    assert "claim mine: compares flask-sync with itself; name two contestants" in message
