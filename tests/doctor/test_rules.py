"""Facts judged one by one, and what the sum of them says."""

from dataclasses import replace
from typing import Any

import pytest

from loadtests.doctor import findings
from loadtests.doctor.busy import BusyProcess
from loadtests.doctor.facts import Facts, Memory, shared_cores
from loadtests.doctor.finding import Finding
from loadtests.doctor.findings import judge, sum_up
from loadtests.doctor.forecast import Forecast
from loadtests.doctor.probes import CpuShare, TimerDelay
from loadtests.machine.cpus import CpuSets

SOUND = Facts(
    cpus=(0, 1, 2, 3),
    cpu_sets=CpuSets((0, 1), (2,), (3,)),
    shared_cores=(),
    governors=("performance",),
    cpu_limit=None,
    memory_limit_mib=None,
    memory=Memory(available_mib=8192, swap_used_mib=0),
    open_files=65536,
    load_average=0.2,
    busy=(),
    cpu_share=CpuShare(least_share_percent=99.5, stolen_percent=0.1),
    timer_delay=TimerDelay(p50_us=60, p99_us=120),
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
        ("CPUs", {"cpus": (0,), "cpu_sets": CpuSets()}, "bad"),
        ("cores", {"shared_cores": ((0, 2), (1, 3))}, "warning"),
        ("frequency", {"governors": ("powersave",)}, "warning"),
        ("CPU limit", {"cpu_limit": 1.5}, "bad"),
        ("stolen time", {"cpu_share": CpuShare(99, stolen_percent=1.0)}, "warning"),
        ("stolen time", {"cpu_share": CpuShare(99, stolen_percent=12.0)}, "bad"),
        ("CPU share", {"cpu_share": CpuShare(96.9, stolen_percent=0)}, "warning"),
        ("CPU share", {"cpu_share": CpuShare(50, stolen_percent=0)}, "bad"),
        ("other work", {"busy": (BusyProcess("indexer", 7, 12.0),)}, "warning"),
        ("other work", {"busy": (BusyProcess("indexer", 7, 30.0), BusyProcess("build", 8, 20.0))}, "bad"),
        ("load average", {"load_average": 2.0}, "warning"),
        ("timers", {"timer_delay": TimerDelay(60, p99_us=1000)}, "warning"),
        ("timers", {"timer_delay": TimerDelay(60, p99_us=5000)}, "bad"),
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
        ("stolen time", {"cpu_share": CpuShare(99, stolen_percent=None)}),
        ("other work", {"busy": (BusyProcess("shell", 7, 4.0),)}),
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
        BusyProcess(name, place, 40.0 - place)
        for place, name in enumerate(("build", "indexer", "sync", "chat"))
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
        " Between servers of similar speed, a difference of about 4.1 % will be visible after 10 minutes."
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
