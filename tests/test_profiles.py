"""Profiles and claims: the shipped ones, and what is said of a mistake in one."""

from pathlib import Path

import pytest

from loadtests.contestants import load_contestants
from loadtests.errors import CatalogError
from loadtests.plan import make_plan
from loadtests.profiles import load_claims, load_profiles
from loadtests.scenarios import load_scenarios
from loadtests.selection import CATALOG

FIRST_FOUR = ("flask-gthread", "flask-gevent", "flask-sync", "fastapi-uvicorn")
FLOORS = ("raw-wsgi-gthread", "raw-wsgi-gevent", "raw-asgi-uvicorn")


def test_the_shipped_profiles_are_quick_standard_and_thorough() -> None:
    profiles = load_profiles(CATALOG)

    assert list(profiles) == ["quick", "standard", "thorough"]
    assert [profile.budget_s for profile in profiles.values()] == [285, 1800, 7200]
    assert {profile.margin for profile in profiles.values()} == {0.03}


def test_a_round_of_the_quick_profile_leaves_time_for_several_launches() -> None:
    contestants, quick = load_contestants(CATALOG), load_profiles(CATALOG)["quick"]
    chosen = [contestants[name] for name in (*FIRST_FOUR, *FLOORS)]
    scenarios = load_scenarios(CATALOG)

    plan = make_plan(quick, 1, chosen, list(scenarios.values()), load_claims(CATALOG))

    assert 15 <= plan.round(1, dict.fromkeys(scenarios, 100.0)).load_s <= 30


def test_there_is_one_headline_and_every_cost_claim_is_held_against_a_floor() -> None:
    claims = load_claims(CATALOG)

    assert [(claim.a, claim.b) for claim in claims if claim.headline] == [
        ("flask-gthread", "fastapi-uvicorn")
    ]
    assert {claim.b for claim in claims if claim.b.startswith("raw-")} == set(FLOORS)


PROFILE = """[[profile]]
name = "mine"
title = "mine"
budget_s = 60
max_rounds = 3
closed_blocks = 2
open_blocks = 1
"""


def test_what_a_profile_leaves_out_takes_its_default(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text(PROFILE)

    mine = load_profiles(tmp_path)["mine"]

    assert (mine.open_load, mine.margin, mine.steal_limit_percent, mine.twins) == (0.5, 0.03, 30, ())


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("margin = 3", "margin is 3; make it a fraction between 0 and 1"),
        ("open_load = 1.5", "open_load is 1.5; make it a fraction"),
        ("margin = true", "margin is True; make it a fraction"),
        ("steal_limit_percent = 101", "make it a percentage up to 100"),
        ('twins = "flask-sync"', "make it a list of strings"),
        ("speed = 1", "unknown key 'speed'"),
    ],
)
def test_a_wrong_profile_is_one_line_that_names_it_and_how_to_mend_it(
    tmp_path: Path, line: str, complaint: str
) -> None:
    (tmp_path / "profiles.toml").write_text(PROFILE + line)

    with pytest.raises(CatalogError) as caught:
        load_profiles(tmp_path)

    assert complaint in str(caught.value)
    assert "profile mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_claim_on_one_contestant_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.toml").write_text('[[claim]]\nname = "x"\na = "p"\nb = "p"\ntitle = "t"\n')

    with pytest.raises(CatalogError, match="claim x: compares p with itself; name two contestants"):
        load_claims(tmp_path)
