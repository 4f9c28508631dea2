"""Facts as they are gathered on this machine."""

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from loadtests.doctor import folders, probes
from loadtests.doctor.busy import BusyMeter, BusyProcess, ProcessKey, ProcessTime, busiest
from loadtests.doctor.facts import gather


def test_facts_are_gathered_on_this_machine_and_leave_nothing_behind(tmp_path: Path) -> None:
    facts = gather(tmp_path / "results", busy_s=0.2, sleeps=20)

    assert facts.cpus == tuple(sorted(os.sched_getaffinity(0)))
    assert facts.memory.available_mib > 0
    assert (facts.results_error, facts.services_error) == (None, None)
    assert 0 < facts.timer_delay.p50_us <= facts.timer_delay.p99_us
    assert facts.cpu_share.least_share_percent > 0
    assert list(tmp_path.iterdir()) == []


def test_busy_processes_are_told_by_what_they_used_since_the_first_look() -> None:
    old, reused, thread, new, own = (ProcessKey(pid, float(pid)) for pid in (1, 2, 3, 4, 5))
    earlier = replace(reused, started_s=0.5)  # another process that had the same id
    before = {
        old: ProcessTime("old", 90.0),
        earlier: ProcessTime("gone", 7.0),
        thread: ProcessTime("worker:1", 3.0),
    }
    after = {
        old: ProcessTime("old", 90.02),
        reused: ProcessTime("reused", 1.0),
        thread: ProcessTime("worker:2", 4.5),
        new: ProcessTime("new", 0.5),
        own: ProcessTime("own", 2.0),
    }

    found = busiest(before, after, elapsed_s=2.0, own={5}, at_least_percent=3.0)

    assert found == (
        BusyProcess("worker:2", 3, 75.0),
        BusyProcess("reused", 2, 50.0),
        BusyProcess("new", 4, 25.0),
    )


def test_the_asking_process_is_not_counted_as_busy() -> None:
    meter = BusyMeter()

    assert os.getpid() not in {one.pid for one in meter.read(at_least_percent=0.0)}


def test_a_program_that_spins_is_given_a_share_of_its_cpu_and_ended() -> None:
    cpu = min(os.sched_getaffinity(0))
    before = psutil.Process().children()

    found = probes.cpu_share([cpu], 0.2)

    assert 0 < found.least_share_percent <= 101
    assert psutil.Process().children() == before


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file is in the way")

    assert folders.folder_error(tmp_path / "results" / "runs") == "Not a directory"
    assert folders.folder_error(tmp_path / "not" / "made" / "yet") is None


def test_services_that_cannot_be_reached_are_an_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/shop")

    error = probes.services_error()

    assert error is not None
    assert error.startswith("DATABASE_URL can't be used")
    assert "\n" not in error
