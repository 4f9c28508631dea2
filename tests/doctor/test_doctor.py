"""The doctor: facts judged one by one, probes on this machine, forecasts of noise that is known, and the command."""

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.random import Generator

from loadtests.analysis.estimates import FloatArray, paired_ratio
from loadtests.config.profiles import Profile
from loadtests.config.selection import Options, select
from loadtests.doctor import facts, findings, folders, forecast, noise, probes
from loadtests.doctor.busy import Busy, BusyMeter, Process, Spent, busiest
from loadtests.doctor.facts import Facts, Memory, gather, shared_cores
from loadtests.doctor.finding import Finding
from loadtests.doctor.findings import judge, sum_up
from loadtests.doctor.forecast import AaSpread, Forecast
from loadtests.doctor.probes import Lateness, Spin
from loadtests.plan.plan import Plan, make_plan
from tests.support.command import descendants, run, run_here, started, survivors
from tests.support.waiting import eventually

SOUND = Facts(
    cpus=(0, 1, 2, 3),
    server_cpus=(0, 1),
    load_cpus=(2, 3),
    shared_cores=(),
    governors=("performance",),
    cpu_limit=None,
    memory_limit_mib=None,
    memory=Memory(available_mib=8192, swap_used_mib=0),
    open_files=65536,
    load_average=0.2,
    busy=(),
    spin=Spin(least_share_percent=99.5, stolen_percent=0.1),
    lateness=Lateness(p50_us=60, p99_us=120),
    on_battery=False,
    results_dir="results",
    results_error=None,
    disk_free_mib=50_000,
    shared_memory_error=None,
    services_error=None,
)


def judged(subject: str, **changes: Any) -> Finding:
    """What is found on one subject where the facts are sound but for these."""
    return next(one for one in judge(replace(SOUND, **changes)) if one.subject == subject)


def test_a_sound_machine_needs_no_advice() -> None:
    found = judge(SOUND)

    assert {one.severity for one in found} == {"good"}
    assert not any(one.advice or one.stops for one in found)
    assert len({one.subject for one in found}) == len(found) == len(findings.RULES)
    assert sum_up(found, ()) == "This machine is fit to measure."


@pytest.mark.parametrize(
    ("subject", "changes", "severity"),
    [
        ("CPUs", {"cpus": (0,), "server_cpus": (), "load_cpus": ()}, "bad"),
        ("cores", {"shared_cores": ((0, 2), (1, 3))}, "warning"),
        ("frequency", {"governors": ("powersave",)}, "warning"),
        ("CPU limit", {"cpu_limit": 1.5}, "bad"),
        ("stolen time", {"spin": Spin(99, stolen_percent=1.0)}, "warning"),
        ("stolen time", {"spin": Spin(99, stolen_percent=12.0)}, "bad"),
        ("CPU share", {"spin": Spin(96.9, stolen_percent=0)}, "warning"),
        ("CPU share", {"spin": Spin(50, stolen_percent=0)}, "bad"),
        ("other work", {"busy": (Busy("indexer", 7, 12.0),)}, "warning"),
        ("other work", {"busy": (Busy("indexer", 7, 30.0), Busy("build", 8, 20.0))}, "bad"),
        ("load average", {"load_average": 2.0}, "warning"),
        ("timers", {"lateness": Lateness(60, p99_us=1000)}, "warning"),
        ("timers", {"lateness": Lateness(60, p99_us=5000)}, "bad"),
        ("memory", {"memory": Memory(available_mib=2000, swap_used_mib=0)}, "warning"),
        ("memory", {"memory_limit_mib": 1000.0}, "bad"),
        ("swap", {"memory": Memory(available_mib=8192, swap_used_mib=100)}, "warning"),
        ("open files", {"open_files": 256}, "warning"),
        ("power", {"on_battery": True}, "warning"),
        ("results", {"disk_free_mib": 1000.0}, "warning"),
        ("results", {"disk_free_mib": 100.0}, "bad"),
        ("shared memory", {"shared_memory_error": "Read-only file system"}, "warning"),
    ],
)
def test_what_hurts_is_said_with_what_to_do_and_does_not_stop_a_run(
    subject: str, changes: dict[str, Any], severity: str
) -> None:
    one = judged(subject, **changes)

    assert (one.severity, one.stops) == (severity, False)
    assert one.advice


@pytest.mark.parametrize(
    ("subject", "changes"),
    [
        ("frequency", {"governors": ()}),
        ("CPU limit", {"cpu_limit": 4.0}),
        ("stolen time", {"spin": Spin(99, stolen_percent=None)}),
        ("other work", {"busy": (Busy("shell", 7, 4.0),)}),
        ("open files", {"open_files": -1}),
        ("results", {"disk_free_mib": None}),
    ],
)
def test_what_does_no_harm_or_is_not_known_is_no_warning(subject: str, changes: dict[str, Any]) -> None:
    assert judged(subject, **changes).severity == "good"


@pytest.mark.parametrize(
    ("subject", "changes"),
    [
        ("results", {"results_error": "Permission denied"}),
        ("services", {"services_error": "the embedded PostgreSQL does not start"}),
    ],
)
def test_what_makes_a_run_impossible_stops_it(subject: str, changes: dict[str, Any]) -> None:
    found = judge(replace(SOUND, **changes))

    assert [one.subject for one in found if one.stops] == [subject]
    assert sum_up(found, ()) == f"No run is possible here: {subject}."


def test_the_busiest_processes_are_named() -> None:
    busy = tuple(
        Busy(name, place, 40.0 - place) for place, name in enumerate(("build", "indexer", "sync", "chat"))
    )

    one = judged("other work", busy=busy)

    assert one.found.startswith(
        "other processes use 154 % of a CPU: build (0) 40 %, indexer (1) 39 %, sync (2)"
    )
    assert "chat" not in one.found


def test_the_sum_names_what_hurts_and_what_would_be_seen() -> None:
    hurt = judge(replace(SOUND, on_battery=True, open_files=10))
    runs = [Forecast("quick", minutes * 60.0, 9, 40, 0.03, 0.041) for minutes in (5, 10, 30)]

    assert sum_up(hurt, runs) == (
        "A run is possible, but these will hurt it: open files, power."
        " Between servers of like speed, a difference of about 4.1 % will be visible in 10 minutes."
    )


@pytest.mark.parametrize(
    ("cores", "shared"),
    [
        (((0, 1), (2, 3)), ()),
        (((0, 2), (1, 3)), ((0, 2), (1, 3))),
        (((0,), (1,), (2,), (3,)), ()),
    ],
)
def test_a_core_is_shared_when_one_of_its_threads_serves_and_another_loads(
    cores: tuple[tuple[int, ...], ...], shared: tuple[tuple[int, ...], ...]
) -> None:
    assert shared_cores(cores, server_cpus=(0, 1)) == shared


def test_facts_are_gathered_on_this_machine_and_leave_nothing_behind(tmp_path: Path) -> None:
    facts = gather(tmp_path / "results", spin_s=0.2, sleeps=20)

    assert facts.cpus == tuple(sorted(os.sched_getaffinity(0)))
    assert facts.memory.available_mib > 0
    assert (facts.results_error, facts.services_error) == (None, None)
    assert 0 < facts.lateness.p50_us <= facts.lateness.p99_us
    assert facts.spin.least_share_percent > 0
    assert list(tmp_path.iterdir()) == []


def test_busy_processes_are_told_by_what_they_used_since_the_first_look() -> None:
    old, reused, thread, new, own = (Process(pid, float(pid)) for pid in (1, 2, 3, 4, 5))
    earlier = replace(reused, started_s=0.5)  # another process that had the same id
    before = {old: Spent("old", 90.0), earlier: Spent("gone", 7.0), thread: Spent("worker:1", 3.0)}
    after = {
        old: Spent("old", 90.02),
        reused: Spent("reused", 1.0),
        thread: Spent("worker:2", 4.5),
        new: Spent("new", 0.5),
        own: Spent("own", 2.0),
    }

    found = busiest(before, after, elapsed_s=2.0, own={5}, at_least_percent=3.0)

    assert found == (Busy("worker:2", 3, 75.0), Busy("reused", 2, 50.0), Busy("new", 4, 25.0))


def test_the_asking_process_is_not_counted_as_busy() -> None:
    meter = BusyMeter()

    assert os.getpid() not in {one.pid for one in meter.read(at_least_percent=0.0)}


def test_a_program_that_spins_is_given_a_share_of_its_cpu_and_ended() -> None:
    cpu = min(os.sched_getaffinity(0))
    before = psutil.Process().children()

    found = probes.spin([cpu], 0.2)

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


def rounds_of_noise(
    rng: Generator, rounds: int, blocks: int, launches: float = 0.0, noise: float = 0.1
) -> list[FloatArray]:
    """Log ratios of equal servers: each round's launches shift all of its blocks."""
    return [rng.normal(rng.normal(0, launches), noise, blocks) for _ in range(rounds)]


def seen(rounds: list[FloatArray]) -> AaSpread:
    found = forecast.aa_spread(rounds)
    assert found is not None
    return found


def test_too_few_rounds_give_no_noise() -> None:
    assert forecast.aa_spread([np.zeros(5), np.zeros(5)]) is None
    assert forecast.aa_spread([np.zeros(5), np.zeros(5), np.zeros(0)]) is None


@pytest.mark.parametrize("blocks", [11, 40])
def test_a_few_short_rounds_tell_how_much_the_blocks_of_larger_ones_add(blocks: int) -> None:
    """On average over many looks, against the spread of medians that are drawn from the same noise."""
    rng = np.random.default_rng(1)
    true = float(np.median(rng.normal(0, 0.1, (20_000, blocks)), axis=1).std())

    looks = [seen(rounds_of_noise(rng, 5, 11)) for _ in range(60)]

    found = [forecast.median_spread(one.residuals, blocks, rng) for one in looks]
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(true, rel=0.1)


def test_rounds_that_spread_no_more_than_chance_hold_nothing_against_launches() -> None:
    rng = np.random.default_rng(2)

    looks = [seen(rounds_of_noise(rng, 5, 11)) for _ in range(100)]

    blamed = [one for one in looks if one.launches > forecast.LAUNCH_SPREAD]
    assert len(blamed) <= 15  # 5 are expected of a test at 5 %


def test_what_launches_add_stays_however_large_the_rounds() -> None:
    found = seen(rounds_of_noise(np.random.default_rng(2), rounds=300, blocks=12, launches=0.08, noise=0.05))

    assert found.launches == pytest.approx(0.08, rel=0.15)
    assert found.round_spread(4000) == pytest.approx(found.launches, rel=0.01)


def test_no_noise_at_all_leaves_what_launches_differ_by() -> None:
    found = seen([np.full(5, 0.02) for _ in range(4)])

    assert found.spread == pytest.approx(0)
    assert found.round_spread(5) == pytest.approx(forecast.LAUNCH_SPREAD)
    assert found.ratio == pytest.approx(np.exp(0.02))


def plan_of(blocks: int, max_rounds: int = 1000) -> Plan:
    profile = Profile(
        name="quick",
        title="",
        budget_s=600,
        max_rounds=max_rounds,
        closed_blocks=blocks,
        open_blocks=1,
        warmup_ms=0,
        open_load=0.5,
        margin=0.03,
        steal_limit_percent=30,
        twins=(),
    )
    return make_plan(profile, 0, (), (), ())


def test_the_width_falls_with_the_root_of_the_rounds() -> None:
    spread = seen(rounds_of_noise(np.random.default_rng(3), 6, 10))

    short, long = (forecast.forecast(spread, plan_of(10), 10.0, usable_s) for usable_s in (1000.0, 4000.0))

    assert short is not None
    assert long is not None
    assert (short.rounds, long.rounds) == (100, 400)
    assert short.half_width / long.half_width == pytest.approx(2, rel=0.02)
    assert short.visible / long.visible == pytest.approx(2, rel=0.02)


def test_no_more_rounds_are_counted_on_than_the_profile_allows_and_none_than_an_interval_needs() -> None:
    spread = seen(rounds_of_noise(np.random.default_rng(4), 6, 10))

    capped = forecast.forecast(spread, plan_of(10, max_rounds=7), 10.0, 1000.0)

    assert capped is not None
    assert capped.rounds == 7
    assert forecast.forecast(spread, plan_of(10), 10.0, 29.0) is None


def test_forecast_widths_are_those_that_simulated_runs_have_and_four_in_five_see_the_difference() -> None:
    """Five short rounds are looked at, as the command does; then runs of nine larger ones are simulated."""
    rng = np.random.default_rng(5)
    spread = AaSpread(1.0, 5, 0.0, 0.01, np.concatenate(rounds_of_noise(rng, 40, 11)))
    made = forecast.forecast(spread, plan_of(40), 10.0, 95.0)
    assert made is not None

    runs = [simulated(rng, made.visible) for _ in range(600)]

    widths = [(np.log(high) - np.log(low)) / 2 for low, high in runs]
    assert np.median(widths) == pytest.approx(made.half_width, rel=0.1)
    assert np.mean([low > 1 for low, _ in runs]) == pytest.approx(forecast.POWER, abs=0.07)


def simulated(rng: Generator, difference: float) -> tuple[float, float]:
    rounds = [blocks + np.log1p(difference) for blocks in rounds_of_noise(rng, 9, 40, launches=0.01)]
    low, high = paired_ratio(rounds).interval()
    assert low is not None
    assert high is not None
    return low, high


def test_a_longer_run_of_the_catalog_sees_smaller_differences() -> None:
    made = noise.forecasts(seen(rounds_of_noise(np.random.default_rng(6), 5, 11, noise=0.2)))

    assert [one.budget_s for one in made] == [300, 600, 1800]
    assert made[0].visible > made[1].visible > made[2].visible > 0
    assert all(one.half_width < one.visible for one in made)


def test_the_pair_of_the_forecast_is_in_the_catalog() -> None:
    chosen = select(Options(contestants=noise.PAIR, scenarios=(noise.PAIRS_SCENARIO,)))

    assert {one.name for one in chosen.contestants} == {*noise.PAIR}


def test_a_server_is_measured_against_itself_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/shop")
    told: list[int] = []

    ratios = noise.measure(rounds=3, blocks=2, on_round=told.append)

    assert [len(one) for one in ratios] == [2, 2, 2]
    assert np.isfinite(np.concatenate(ratios)).all()
    assert told == [1, 2, 3]
    assert re.match(
        r"One bare server .* 3 rounds: \d\.\d+ times the CPU", forecast.describe_spread(seen(ratios))
    )


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
    monkeypatch.setattr(facts, "gather", partial(facts.gather, spin_s=0.1, sleeps=50))
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
