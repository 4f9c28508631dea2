"""The command."""

import re
from functools import partial
from pathlib import Path

import psutil
import pytest

from loadtests.doctor import facts
from tests.support.command import descendants, run, run_here, started, survivors
from tests.support.waiting import eventually


def test_the_command_looks_and_sums_up_and_changes_nothing(tmp_path: Path) -> None:
    ended = run("doctor", "--quick", "--results-dir", str(tmp_path / "results"))

    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.strip()]
    assert [line.split()[0] for line in lines[:-1] if not line.startswith(" ")].count("ok") >= 5
    assert re.match(
        r"This machine is fit to measure\.|A run is possible, but these will hurt it: ", lines[-1]
    )
    assert list(tmp_path.iterdir()) == []


def test_a_machine_on_which_no_run_is_possible_is_exit_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "gather", partial(facts.gather, busy_s=0.1, sleeps=50))
    (tmp_path / "results").write_text("a file is in the way")

    ended = run_here("doctor", "--quick", "--results-dir", str(tmp_path / "results"))

    assert ended.returncode == 1
    assert "is not writable" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "No run is possible here: results."


def test_a_doctor_who_is_stopped_takes_everything_along() -> None:
    with started("doctor", "--quick") as process:

        def started_something() -> list[psutil.Process]:
            assert process.poll() is None, "it ended before it started anything"
            return descendants(process)

        begun = eventually(started_something, "it has started something")
        process.terminate()
        status = process.wait(20)

    assert status == 130
    assert survivors(begun) == []
