"""Runs that are interrupted, terminated, killed or lose a process: what is kept, and how they go on."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.bench.record import load_run
from loadtests.runs.record import save_record
from tests.support.command import run, started, survivors
from tests.support.interrupted import ASGI, Cut, cut, planned_and_measured, samples, told_of

pytestmark = pytest.mark.usefixtures("temporary")


def test_an_interrupted_run_says_how_to_go_on_and_reports_what_there_is(first_cut: Cut) -> None:
    assert first_cut.status == 130
    assert first_cut.line == (
        f"stopped; 1 finished round kept; continue with: sidebyside bench --resume {first_cut.folder}"
    )
    assert survivors(first_cut.begun) == []
    assert told_of(first_cut.folder) == ("partial", 1)
    assert load_run(first_cut.folder).options.seed == 7
    assert len(samples(first_cut.folder)) == 4


def test_a_terminated_run_keeps_its_finished_rounds_and_nothing_of_the_other(
    begun_run: Path, temporary: Path
) -> None:
    before = samples(begun_run)

    ended = cut(lambda process, _: process.terminate(), "bench", "--resume", str(begun_run))

    assert ended.status == 130
    assert ended.line.startswith("stopped; 1 finished round kept; continue with: ")
    assert survivors(ended.begun) == []
    assert list(temporary.iterdir()) == []
    assert samples(begun_run) == before
    assert told_of(begun_run) == ("partial", 1)


def test_a_killed_run_leaves_no_process_and_the_next_command_clears_what_it_left(
    begun_run: Path, temporary: Path
) -> None:
    before = samples(begun_run)
    (begun_run / "summary.json").unlink()

    ended = cut(lambda process, _: process.kill(), "bench", "--resume", str(begun_run))

    assert ended.status == -signal.SIGKILL
    assert len(ended.begun) >= 4  # Locust, two servers, a worker
    assert survivors(ended.begun) == []
    assert samples(begun_run) == before
    assert [path.name.startswith("sidebyside-run-") for path in temporary.iterdir()] == [True]

    reported = run("report", str(begun_run))

    assert reported.returncode == 0, reported.stderr
    assert told_of(begun_run) == ("partial", 1)
    assert list(temporary.iterdir()) == []


def test_a_run_that_was_killed_before_it_could_note_its_rates_goes_on_as_planned(begun_run: Path) -> None:
    noted = load_run(begun_run)
    save_record(replace(noted, rates={}), begun_run)

    resumed = run("bench", "--resume", str(begun_run))
    planned, measured = planned_and_measured(begun_run)

    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.splitlines()[-1] == str(begun_run)
    assert told_of(begun_run) == ("complete", 2)
    assert load_run(begun_run).rates == noted.rates
    assert measured == planned
    assert {row[2] for row in measured} == {"closed", "open"}


def test_a_folder_of_a_run_that_goes_on_is_left_alone(temporary: Path) -> None:
    with started("serve", ASGI) as process:
        assert process.stdout is not None
        process.stdout.readline()
        held = list(temporary.iterdir())
        listed = run("list")
        still_held = list(temporary.iterdir())

    assert listed.returncode == 0
    assert len(held) == 1
    assert still_held == held
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("load", "the load generator "),
        (ASGI, f"{ASGI} was killed by SIGKILL while it was in use; it said: nothing; "),
    ],
)
def test_a_round_that_lost_a_process_is_thrown_away_and_the_line_names_it(
    role: str, told: str, begun_run: Path, temporary: Path
) -> None:
    before = samples(begun_run)

    ended = cut(lambda _, roles: roles[role].kill(), "bench", "--resume", str(begun_run))

    assert ended.status == 2
    assert ended.line.startswith(told)
    assert ended.line.endswith(f"1 finished round kept; continue with: sidebyside bench --resume {begun_run}")
    assert survivors(ended.begun) == []
    assert list(temporary.iterdir()) == []
    assert samples(begun_run) == before
    assert told_of(begun_run) == ("partial", 1)
