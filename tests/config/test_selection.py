"""What a user may ask for, and how what cannot be had is refused: in one line."""

from pathlib import Path
from typing import Any

import pytest

from loadtests.config.selection import CATALOG, Options, duration_s, read_config, select
from loadtests.errors import CatalogError, SuiteError


def refusal_of(options: Options) -> str:
    with pytest.raises(SuiteError) as caught:
        select(options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def config(folder: Path, text: str | bytes) -> Path:
    path = folder / "sidebyside.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal_in(path: Path) -> str:
    with pytest.raises(SuiteError) as caught:
        read_config(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_wishes_mean_what_the_quick_profile_lists() -> None:
    selection = select(Options())

    assert selection.profile.name == "quick"
    assert tuple(one.name for one in selection.contestants) == selection.profile.contestants
    assert tuple(one.name for one in selection.scenarios) == selection.profile.scenarios
    assert any(claim.headline for claim in selection.claims)


def test_a_profile_that_lists_none_runs_all() -> None:
    names = [one.name for one in select(Options(profile="thorough")).scenarios]

    assert set(names) > {one.name for one in select(Options()).scenarios}


def test_names_go_before_the_profiles_own_each_for_itself() -> None:
    by_contestant = select(Options(contestants=("flask-granian",)))
    by_scenario = select(Options(scenarios=("echo",)))

    assert [one.name for one in by_contestant.contestants] == ["flask-granian"]
    assert tuple(one.name for one in by_contestant.scenarios) == by_contestant.profile.scenarios
    assert [one.name for one in by_scenario.scenarios] == ["echo"]
    assert {one.name for one in by_scenario.contestants} < set(by_scenario.profile.contestants)


def test_what_is_chosen_comes_in_the_order_of_the_catalog_and_once() -> None:
    options = Options(
        contestants=("fastapi-uvicorn", "flask-gthread", "fastapi-uvicorn"), scenarios=("shop",)
    )

    selection = select(options)

    assert [one.name for one in selection.contestants] == ["flask-gthread", "fastapi-uvicorn"]
    assert [one.name for one in selection.scenarios] == ["shop"]


def test_a_budget_takes_the_place_of_the_profiles_own() -> None:
    assert select(Options(budget_s=42.0)).profile.budget_s == 42.0


def test_a_contestant_that_answers_none_of_the_scenarios_is_left_out() -> None:
    selection = select(Options(scenarios=("shop",)))

    assert all(one.framework != "raw" for one in selection.contestants)


def test_nobody_left_to_ask_is_an_error() -> None:
    message = refusal_of(Options(contestants=("raw-asgi-uvicorn",), scenarios=("shop",)))

    assert "none of these contestants answers any of these scenarios" in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(profile="slow"), ("no profile 'slow'", "quick, standard, thorough")),
        (Options(scenarios=("pong",)), ("no scenario 'pong'", "ping")),
        (Options(contestants=("django",)), ("no contestant 'django'", "flask-sync")),
        (Options(seed=-1), ("a seed must be a whole number of at least 0, not -1",)),
        (Options(catalog="/nowhere"), ("/nowhere", "cannot be read")),
    ],
)
def test_an_unknown_name_is_told_with_those_that_there_are(options: Options, words: tuple[str, ...]) -> None:
    message = refusal_of(options)

    assert all(word in message for word in words)


def test_an_unknown_name_is_the_catalogs_error() -> None:
    with pytest.raises(CatalogError):
        select(Options(profile="slow"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600), ("1.5m", 90), (" 0.5s ", 0.5), ("007", 7)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0m", "0.0s", "-5m", "5 m", "m", "5d", "1e3", ".5", "5m30s", "nan", "inf", "٣", "5\n6"]
)
def test_what_is_no_duration_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SuiteError, match="a duration looks like 90s, 5m or 1h, not") as caught:
        duration_s(text)

    assert "\n" not in str(caught.value)


def test_a_config_file_holds_the_options_of_the_command_line(tmp_path: Path) -> None:
    text = """
        [bench]
        profile = "standard"
        scenarios = ["ping", "shop"]
        contestants = ["flask-sync"]
        budget = "5m"
        seed = 3
        results_dir = "out"
        catalog = "mine"
    """

    assert read_config(config(tmp_path, text)) == {
        "profile": "standard",
        "scenarios": ("ping", "shop"),
        "contestants": ("flask-sync",),
        "budget": "5m",
        "seed": 3,
        "results_dir": "out",
        "catalog": str(tmp_path / "mine"),
    }


@pytest.mark.parametrize("text", ["", "[bench]"])
def test_an_empty_config_file_wishes_nothing(tmp_path: Path, text: str) -> None:
    assert read_config(config(tmp_path, text)) == {}


def test_a_catalog_in_a_config_file_is_found_beside_it_unless_it_is_absolute(tmp_path: Path) -> None:
    path = config(tmp_path, f'[bench]\ncatalog = "{CATALOG}"')

    assert read_config(path) == {"catalog": str(CATALOG)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profile = 'quick'", "put all options under [bench]"),
        ("[bench]\n[other]", "put all options under [bench]"),
        ("bench = 1", "put all options under [bench]"),
        ("[[bench]]", "put all options under [bench]"),
        ("[bench]\ncolour = 1", "'colour' is unknown; the keys are profile, scenarios"),
        ('[bench]\n"a\\nb" = 1', "is unknown"),
        ("[bench]\nbudget = 300", "budget = 300 has the wrong type; give a string"),
        ("[bench]\nscenarios = 'ping'", "scenarios = 'ping' has the wrong type; give a list of names"),
        ("[bench]\nseed = '1'", "seed = '1' has the wrong type; give a whole number"),
        ("[bench]\nseed = true", "seed = True has the wrong type; give a whole number"),
        ("[bench", "is not valid TOML"),
        (b"\xff", "is not valid TOML"),
    ],
)
def test_a_bad_config_file_is_told_in_one_line(tmp_path: Path, text: str | bytes, words: Any) -> None:
    assert words in refusal_in(config(tmp_path, text))


def test_a_config_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refusal_in(tmp_path / "none.toml")
    assert "cannot be read" in refusal_in(tmp_path)


def test_contestants_that_no_claim_compares_are_compared_all_the_same() -> None:
    chosen = select(Options(contestants=("flask-sync", "fastapi-granian", "raw-asgi-uvicorn")))

    assert [(claim.a, claim.b) for claim in chosen.claims] == [("flask-sync", "fastapi-granian")]
    assert select(Options(contestants=("flask-sync",))).claims == ()
