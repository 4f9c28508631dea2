"""`sidebyside capacity` as its users meet it: floors, a tiny budget, everything in the folder."""

import json
import re
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.capacity.record import load_run, new_run
from loadtests.capacity.request import (
    Request,
    fitted,
    longest_round_s,
    round_of,
    round_s,
    searches_of,
    selected,
)
from loadtests.capacity.run import report
from loadtests.errors import SuiteError
from loadtests.runs.record import save_record
from tests.support.command import run_here, started

FLOORS = ("raw-wsgi-gthread", "raw-asgi-uvicorn")
REQUEST = Request(FLOORS, ("ping",), slo_ms=50.0, arrivals="poisson", budget_s=600.0, seed=0)
SELECTION = selected(REQUEST)
SEARCHES = searches_of(REQUEST, SELECTION)


@dataclass(frozen=True)
class Stopped:
    """A run that was stopped in its first round: its folder, and what it said."""

    folder: Path
    status: int
    told: str


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A run of two floors, stopped."""
    chosen = [word for name in FLOORS for word in ("--contestant", name)]
    results = tmp_path_factory.mktemp("results")
    options = ("--scenario", "ping", "--slo", "20ms", "--arrivals", "constant", "--budget", "10s")
    with started("capacity", *chosen, *options, "--results-dir", str(results)) as process:
        assert process.stderr is not None
        lines = []
        while "round 1" not in (line := process.stderr.readline()):
            assert line, "it ended before its first round began"
            lines.append(line)
        process.send_signal(signal.SIGINT)
        told = "".join(lines) + process.stderr.read()
    (folder,) = results.iterdir()
    return Stopped(folder, process.returncode, told)


@pytest.fixture(scope="module")
def folder(stopped: Stopped) -> Path:
    """The folder of that run, resumed and complete with one round: of short searches, for the computer's sake."""
    begun = load_run(stopped.folder)
    short = tuple(
        replace(one, step_s=0.2, pause_limit_s=0.2, rungs=(0.4, 0.8), bisections=0) for one in begun.searches
    )
    save_record(replace(begun, searches=short), stopped.folder)
    ended = run_here("capacity", "--resume", str(stopped.folder))
    assert ended.returncode == 0, ended.stderr
    return Path(ended.stdout.splitlines()[-1])


def held(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return document


def test_the_folder_holds_everything(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}

    assert {"run.json", "samples", "capacity.json", "summary.json", "report.md", "report.html"} <= names
    assert {path.name for path in (folder / "charts").glob("*.svg")} >= {"curve.svg"}
    assert folder.name.endswith("-capacity")


def test_every_server_is_searched_from_the_closed_loop_to_the_end(folder: Path) -> None:
    searches = held(folder, "capacity.json")["searches"]

    assert {one["contestant"] for one in searches} == set(FLOORS)
    for one in searches:
        roles = list(dict.fromkeys(step["role"] for step in one["steps"]))
        assert roles[:2] == ["closed", "rung"]
        assert one["rule"] == "two of three"
        assert sum(step["failed"] for step in one["steps"]) == 0
        assert one["capacity_rps"] is not None or one["reason"]


def test_the_summary_has_capacity_and_knee_and_the_comparison(folder: Path) -> None:
    summary = held(folder, "summary.json")
    (compared,) = summary["comparisons"]

    assert summary["schema_version"] == 1
    assert {(cell["contestant"], cell["metric"]) for cell in summary["cells"]} == {
        (name, metric) for name in FLOORS for metric in ("capacity_at_slo_rps", "knee_rps")
    }
    assert (compared["metric"], compared["verdict"]) == ("capacity_at_slo_rps", "inconclusive")
    assert all(gate["ok"] for gate in summary["gates"] if gate["gate"] == "request_count")


def test_the_report_tells_how_it_was_measured(folder: Path) -> None:
    page = (folder / "report.md").read_text(encoding="utf-8")

    assert page.startswith("# Capacity within 20 ms: ")
    for part in ("Response time against rate: Ping", "with evenly spaced arrivals"):
        assert part in page
    assert not re.search(r"\bNone\b|\bnan\b", page)


def test_the_report_is_rebuilt_from_the_samples_alone(folder: Path) -> None:
    names = ("summary.json", "capacity.json", "report.md")
    before = [(folder / name).read_text(encoding="utf-8") for name in names]
    for name in names:
        (folder / name).unlink()

    report(folder)

    assert [(folder / name).read_text(encoding="utf-8") for name in names] == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--slo", "soon"), "an SLO looks like 50ms or 0.2s"),
        (("--slo", "0ms"), "an SLO looks like 50ms or 0.2s"),
        (("--slo", "5s"), "an SLO is 1s at most"),
        (("--arrivals", "uniform"), "arrivals must be poisson or constant"),
        (("--budget", "soon"), "a duration looks like"),
        (("--contestant", "flask-nope"), "there is no contestant 'flask-nope'"),
        (("--scenario", "nope"), "there is no scenario 'nope'"),
        (("--contestant", "raw-asgi-uvicorn"), "none of these contestants answers"),
        (("--seed", "-1"), "a seed must be a whole number of at least 0"),
        (("--resume", "nowhere", "--slo", "9ms"), "--resume continues the run with its own rules"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_folder(
    arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    ended = run_here("capacity", *arguments, "--results-dir", str(tmp_path))

    assert ended.returncode == 2
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_stopped_says_how_to_go_on(stopped: Stopped) -> None:
    assert stopped.status == 130
    assert "fewer than 3 rounds will fit" in stopped.told
    assert (
        f"no finished rounds kept; continue with: sidebyside capacity --resume {stopped.folder}"
        in stopped.told
    )


def test_a_resumed_run_is_completed_where_it_was(stopped: Stopped, folder: Path) -> None:
    assert folder == stopped.folder
    assert held(folder, "run.json")["status"] == "complete"


def test_a_folder_that_holds_no_run_cannot_be_resumed(tmp_path: Path) -> None:
    ended = run_here("capacity", "--resume", str(tmp_path))

    assert ended.returncode == 2
    assert "holds no capacity run" in ended.stderr


def test_the_help_says_what_the_words_mean() -> None:
    told = run_here("capacity", "--help").stdout

    for word in ("capacity", "SLO", "knee", "open loop", "1.5 times"):
        assert word in told


def test_a_larger_budget_gives_longer_steps_within_bounds() -> None:
    steps = [
        fitted(replace(REQUEST, budget_s=budget_s), SELECTION).step_s for budget_s in (60, 400, 600, 6000)
    ]

    assert steps == sorted(steps)
    assert steps[0] == pytest.approx(20 * 0.050)
    assert steps[1] < steps[2]
    assert steps[-1] == pytest.approx(3.0)


def test_six_rounds_fit_where_the_steps_are_not_the_shortest() -> None:
    request = fitted(REQUEST, SELECTION)

    assert 6 * round_s(searches_of(request, SELECTION)) <= request.budget_s


def test_three_rounds_fit_even_if_every_step_is_as_long_as_pauses_may_make_it() -> None:
    budgets = (400.0, 600.0, 1800.0, 10_000.0)
    requests = [fitted(replace(REQUEST, budget_s=budget_s), SELECTION) for budget_s in budgets]
    limits = [one.pause_limit_s for one in requests]

    assert limits == sorted(limits)
    assert limits[-1] == pytest.approx(15.0)
    assert all(3 * longest_round_s(searches_of(one, SELECTION)) <= one.budget_s for one in requests)


def test_the_order_of_launches_is_drawn_and_the_searches_are_the_same_in_every_round() -> None:
    rounds = [round_of(SEARCHES, 0, index) for index in range(20)]

    assert len({round_.contestants for round_ in rounds}) == 2
    assert {frozenset(round_.searches) for round_ in rounds} == {frozenset(SEARCHES)}
    assert round_of(SEARCHES, 0, 3) == round_of(SEARCHES, 0, 3)


def test_contestants_without_a_claim_are_compared_all_the_same() -> None:
    headline = selected(Request(("flask-gthread", "fastapi-uvicorn"), ("ping",), 50.0, "poisson", 60.0, 0))

    assert [(claim.a, claim.b) for claim in SELECTION.claims] == [tuple(sorted(FLOORS, reverse=True))]
    assert headline.claims[0].headline


def test_a_folder_of_another_kind_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"id": "x", "wishes": {}}')

    with pytest.raises(SuiteError, match="holds no capacity run"):
        load_run(tmp_path)


OLD_RECORD = """{
  "kind": "capacity",
  "id": "20250101-120000-capacity",
  "aim": {
    "contestants": ["raw-wsgi-gthread"], "scenarios": ["ping"], "slo_ms": 20.0, "arrivals": "poisson",
    "budget_s": 25.0, "seed": 0, "step_s": 0.4, "catalog": "/gone/loadtests/catalog"
  },
  "started_at": "2025-01-01T12:00:00+00:00",
  "finished_at": null,
  "status": "partial",
  "elapsed_s": 13.7,
  "machine": {"CPUs": "7 (servers on CPUs 0-2, load and database on CPUs 3-6)"}
}"""


def test_a_record_of_version_0_1_is_completed_from_the_catalog_and_its_own_machine(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(OLD_RECORD, encoding="utf-8")

    run_ = load_run(tmp_path)

    assert run_.cpus == 7
    assert [(one.contestant, one.scenario, one.step_s) for one in run_.searches] == [
        ("raw-wsgi-gthread", "ping", 0.4)
    ]
    assert (run_.rules.slo_ms, run_.request.budget_s) == (20.0, 25.0)
    assert (run_.rules.rule, run_.rules.pauses) == ("second try", 0)


def test_searches_stored_before_there_was_a_choice_are_replayed_by_the_rule_of_the_second_try(
    tmp_path: Path,
) -> None:
    run_, folder = new_run(REQUEST, str(tmp_path))
    document = held(folder, "run.json")
    for one in document["searches"]:
        for key in ("rule", "pauses", "pause_limit_s"):
            del one[key]
    document["selection"]["profile"] |= {"closed_blocks": 2, "open_blocks": 1}
    (folder / "run.json").write_text(json.dumps(document), encoding="utf-8")

    assert run_.rules.rule == "two of three"
    assert (load_run(folder).rules.rule, load_run(folder).rules.pauses) == ("second try", 0)


def test_a_record_keeps_its_searches_whatever_becomes_of_the_catalog(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(OLD_RECORD, encoding="utf-8")
    old = load_run(tmp_path)

    save_record(replace(old, request=replace(old.request, contestants=("no-longer-there",))), tmp_path)

    assert load_run(tmp_path).searches == old.searches
    assert load_run(tmp_path).selection == old.selection
