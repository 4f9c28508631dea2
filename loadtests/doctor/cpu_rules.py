"""Judging the CPUs: how many, how fast, and what else uses them. Pure, one function per subject.

The limits are rules of thumb from running this suite on shared machines, except where a gate or a profile sets them.
"""

from collections.abc import Sequence

from loadtests.doctor.facts import Facts
from loadtests.doctor.finding import Finding, Severity

STOLEN_WARNING_PERCENT, STOLEN_BAD_PERCENT = 1.0, 10.0
SHARE_WARNING_PERCENT, SHARE_BAD_PERCENT = 97.0, 80.0
LATE_WARNING_US, LATE_BAD_US = 1000.0, 5000.0
BUSY_WARNING_PERCENT, BUSY_BAD_PERCENT = 5.0, 50.0
LOAD_WARNING = 0.5  # a CPU
PROCESSES_NAMED = 3


def cpus(facts: Facts) -> Finding:
    """Whether servers and load have CPUs of their own."""
    count = len(facts.cpus)
    if count < 2:
        advice = "use a machine with 2 CPUs or more: on one, the load and the servers wait for each other"
        return Finding("bad", "CPUs", "one CPU for everything", advice)
    sets = facts.cpu_sets
    text = f"{count}, {len(sets.servers)} of them for servers, {len(sets.load)} for load"
    own = "" if sets.load == sets.services else f", {len(sets.services)} for database and cache"
    return Finding("good", "CPUs", f"{text}{own}")


def cores(facts: Facts) -> Finding:
    """Whether servers and load share a physical core."""
    if not facts.shared_cores:
        return Finding("good", "cores", "servers and load share no physical core")
    shared = ", ".join(_listed(core) for core in facts.shared_cores)
    advice = "use a machine with two cores or more: threads of one core slow each other down"
    found = f"CPUs {shared} are threads of the only core, and some run servers and some the load"
    return Finding("warning", "cores", found, advice)


def governor(facts: Facts) -> Finding:
    """Whether the clock rate is constant."""
    if not facts.governors:
        return Finding("good", "frequency", "no governor is visible; the host sets the clock rate")
    if facts.governors == ("performance",):
        return Finding("good", "frequency", "governor performance")
    advice = "during the run: sudo cpupower frequency-set --governor performance"
    return Finding(
        "warning", "frequency", f"governor {', '.join(facts.governors)}: the clock rate varies", advice
    )


def cpu_limit(facts: Facts) -> Finding:
    """Whether a control group limits CPU time."""
    if facts.cpu_limit is None or facts.cpu_limit >= len(facts.cpus):
        return Finding("good", "CPU limit", "no control group limits the CPU time")
    found = f"{facts.cpu_limit:g} CPUs' worth of time on {len(facts.cpus)} CPUs: processes that use more are paused"
    advice = "give the container or unit as much CPU time as it has CPUs, or pin it to fewer (--cpuset-cpus)"
    return Finding("bad", "CPU limit", found, advice)


def stolen(facts: Facts) -> Finding:
    """How much CPU time other machines on the same host took."""
    percent = facts.cpu_share.stolen_percent
    if percent is None:
        return Finding("good", "stolen time", "the kernel does not report it")
    found = f"other machines took {percent:.1f} % of the CPU time just now"
    if percent < STOLEN_WARNING_PERCENT:
        return Finding("good", "stolen time", found)
    advice = "expect wider intervals: give the run more time, or use a quieter or dedicated machine"
    return Finding("bad" if percent >= STOLEN_BAD_PERCENT else "warning", "stolen time", found, advice)


def share(facts: Facts) -> Finding:
    """How much of a CPU a busy program gets."""
    percent = facts.cpu_share.least_share_percent
    found = f"a busy program gets {percent:.0f} % of a CPU"
    if percent >= SHARE_WARNING_PERCENT:
        return Finding("good", "CPU share", found)
    advice = "something else is running too: see the lines on stolen time, on the CPU limit and on other work"
    return Finding("bad" if percent < SHARE_BAD_PERCENT else "warning", "CPU share", found, advice)


def other_work(facts: Facts) -> Finding:
    """Which other processes were busy meanwhile."""
    total = sum(one.cpu_percent for one in facts.busy)
    if total < BUSY_WARNING_PERCENT:
        return Finding("good", "other work", "no other process is busy")
    named = (f"{one.name} ({one.pid}) {one.cpu_percent:.0f} %" for one in facts.busy[:PROCESSES_NAMED])
    found = f"other processes use {total:.0f} % of a CPU: {', '.join(named)}"
    severity: Severity = "bad" if total >= BUSY_BAD_PERCENT else "warning"
    return Finding(severity, "other work", found, "end them, or wait until they are done")


def load_average(facts: Facts) -> Finding:
    """Whether something was running in the last minute."""
    found = f"{facts.load_average:.2f} in the last minute"
    if facts.load_average < LOAD_WARNING * len(facts.cpus):
        return Finding("good", "load average", found)
    return Finding("warning", "load average", found, "something was running; wait a minute and try again")


def timers(facts: Facts) -> Finding:
    """How late sleeps end, and so how late requests may be sent."""
    late = facts.timer_delay
    found = f"sleeps end late by {late.p50_us:.0f} µs (p50) and {late.p99_us:.0f} µs (p99)"
    if late.p99_us < LATE_WARNING_US:
        return Finding("good", "timers", found)
    advice = "trust CPU time and throughput more than latencies: requests leave late, and the gate send_lag may trip"
    return Finding("bad" if late.p99_us >= LATE_BAD_US else "warning", "timers", found, advice)


def battery(facts: Facts) -> Finding:
    """Whether the machine saves power."""
    if facts.on_battery:
        return Finding("warning", "power", "on battery: the clock rate is reduced", "plug it in")
    return Finding("good", "power", "not on battery")


def _listed(cpus: Sequence[int]) -> str:
    return "+".join(map(str, cpus))
