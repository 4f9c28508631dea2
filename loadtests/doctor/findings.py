"""Judging the facts: what will hurt a benchmark here, and what to do about it. Pure, one function a subject.

The limits are rules of thumb from running this suite on shared machines, except where a gate or a profile sets them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.doctor.facts import SHARED_MEMORY, Facts
from loadtests.doctor.forecast import Forecast, share

Severity = Literal["good", "warning", "bad"]

STOLEN_WARNING_PERCENT, STOLEN_BAD_PERCENT = 1.0, 10.0
SHARE_WARNING_PERCENT, SHARE_BAD_PERCENT = 97.0, 80.0
LATE_WARNING_US, LATE_BAD_US = 1000.0, 5000.0  # the gate `send_lag` allows 1 ms
BUSY_WARNING_PERCENT, BUSY_BAD_PERCENT = 5.0, 50.0
LOAD_WARNING = 0.5  # a CPU
MEMORY_WARNING_MIB, MEMORY_BAD_MIB = (
    2048.0,
    1024.0,
)  # all contestants, PostgreSQL and the load need about 1 GiB
DISK_WARNING_MIB, DISK_BAD_MIB = 2048.0, 256.0
SWAP_WARNING_MIB = 64.0
OPEN_FILES_WARNING = 1024
SHOWN_PROCESSES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject judged. `advice` is empty when nothing is to be done; `stops`: no run is possible like this."""

    severity: Severity
    subject: str
    found: str
    advice: str = ""
    stops: bool = False


def judge(facts: Facts) -> list[Finding]:
    """All findings, in the order in which they are best read: CPUs first, folders last."""
    return [rule(facts) for rule in RULES]


def unmeasured(reason: str) -> Finding:
    """A server or the load generator did not work: then no run will."""
    return Finding(
        "bad", "measuring", reason, "mend that first: a run would stop at the same place", stops=True
    )


def sum_up(findings: Sequence[Finding], forecasts: Sequence[Forecast]) -> str:
    """One line: whether a run is possible, what will hurt it, and what it would show."""
    stopping = [one.subject for one in findings if one.stops]
    if stopping:
        return f"No run is possible here: {', '.join(stopping)}."
    hurting = [one.subject for one in findings if one.severity != "good"]
    fit = (
        f"A run is possible; it will be hurt by: {', '.join(hurting)}."
        if hurting
        else "This machine is fit to measure."
    )
    return " ".join([fit, *_visible(forecasts)])


def _visible(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """Of the forecasts, the middle one."""
    if forecasts:
        one = forecasts[len(forecasts) // 2]
        seen = f"a difference of about {share(one.visible)} will be visible in {one.budget_s / 60:g} minutes"
        yield f"Between servers of like speed, {seen}."


def _cpus(facts: Facts) -> Finding:
    count = len(facts.cpus)
    if count < 2:
        advice = "take a machine with 2 CPUs or more: here the load and the servers wait for each other"
        return Finding("bad", "CPUs", "one CPU for everything", advice)
    return Finding(
        "good",
        "CPUs",
        f"{count}, {len(facts.server_cpus)} of them for servers, {len(facts.load_cpus)} for load",
    )


def _cores(facts: Facts) -> Finding:
    if not facts.shared_cores:
        return Finding("good", "cores", "servers and load share no physical core")
    shared = ", ".join(_listed(core) for core in facts.shared_cores)
    advice = (
        "switch SMT off, or start the suite with `taskset` on CPUs that let whole cores fall to either side"
    )
    return Finding("warning", "cores", f"CPUs {shared} are threads of one core, on both sides", advice)


def _governor(facts: Facts) -> Finding:
    if not facts.governors:
        return Finding("good", "frequency", "no governor is exposed; the clock is the host's affair")
    if facts.governors == ("performance",):
        return Finding("good", "frequency", "governor performance")
    advice = "for the time of the run: sudo cpupower frequency-set --governor performance"
    return Finding("warning", "frequency", f"governor {', '.join(facts.governors)}: the clock moves", advice)


def _cpu_limit(facts: Facts) -> Finding:
    if facts.cpu_limit is None or facts.cpu_limit >= len(facts.cpus):
        return Finding("good", "CPU limit", "no control group limits the CPU time")
    found = (
        f"{facts.cpu_limit:g} CPUs' worth of time on {len(facts.cpus)} CPUs: beyond it, processes are halted"
    )
    advice = "give the container or unit as much CPU time as it has CPUs, or pin it to fewer (--cpuset-cpus)"
    return Finding("bad", "CPU limit", found, advice)


def _stolen(facts: Facts) -> Finding:
    percent = facts.spin.stolen_percent
    if percent is None:
        return Finding("good", "stolen time", "the kernel does not tell")
    found = f"other machines took {percent:.1f} % of the CPU time just now"
    if percent < STOLEN_WARNING_PERCENT:
        return Finding("good", "stolen time", found)
    advice = "expect wider intervals: take more time, a quieter hour, or a machine with CPUs of its own"
    return Finding("bad" if percent >= STOLEN_BAD_PERCENT else "warning", "stolen time", found, advice)


def _share(facts: Facts) -> Finding:
    percent = facts.spin.least_share_percent
    found = f"a program that wants a whole CPU gets {percent:.0f} % of it"
    if percent >= SHARE_WARNING_PERCENT:
        return Finding("good", "CPU share", found)
    advice = "something else takes its turn: see the lines on stolen time, on the CPU limit and on other work"
    return Finding("bad" if percent < SHARE_BAD_PERCENT else "warning", "CPU share", found, advice)


def _other_work(facts: Facts) -> Finding:
    total = sum(one.cpu_percent for one in facts.busy)
    if total < BUSY_WARNING_PERCENT:
        return Finding("good", "other work", "no other process is busy")
    named = (f"{one.name} ({one.pid}) {one.cpu_percent:.0f} %" for one in facts.busy[:SHOWN_PROCESSES])
    found = f"other processes use {total:.0f} % of a CPU: {', '.join(named)}"
    severity: Severity = "bad" if total >= BUSY_BAD_PERCENT else "warning"
    return Finding(severity, "other work", found, "end them, or wait until they are done")


def _load_average(facts: Facts) -> Finding:
    found = f"{facts.load_average:.2f} in the last minute"
    if facts.load_average < LOAD_WARNING * len(facts.cpus):
        return Finding("good", "load average", found)
    return Finding("warning", "load average", found, "something was at work; wait a minute and look again")


def _timers(facts: Facts) -> Finding:
    late = facts.lateness
    found = f"a sleep ends {late.p50_us:.0f} µs late as a rule (p50), {late.p99_us:.0f} µs at times (p99)"
    if late.p99_us < LATE_WARNING_US:
        return Finding("good", "timers", found)
    advice = (
        "trust CPU time and throughput before latencies: requests leave late, and the gate send_lag may trip"
    )
    return Finding("bad" if late.p99_us >= LATE_BAD_US else "warning", "timers", found, advice)


def _memory(facts: Facts) -> Finding:
    limit = facts.memory_limit_mib
    left = facts.memory.available_mib if limit is None else min(limit, facts.memory.available_mib)
    found = f"{left / 1024:.1f} GiB to be had"
    if left >= MEMORY_WARNING_MIB:
        return Finding("good", "memory", found)
    advice = "make room, or measure few servers at a time (--contestant): all of them are alive together"
    return Finding("bad" if left < MEMORY_BAD_MIB else "warning", "memory", found, advice)


def _swap(facts: Facts) -> Finding:
    used = facts.memory.swap_used_mib
    if used < SWAP_WARNING_MIB:
        return Finding("good", "swap", "not in use")
    advice = "end what needs the memory, then empty it: sudo swapoff -a && sudo swapon -a"
    return Finding("warning", "swap", f"{used / 1024:.1f} GiB in use: pages may have to be fetched", advice)


def _open_files(facts: Facts) -> Finding:
    if facts.open_files < 0:
        return Finding("good", "open files", "no limit")
    found = f"{facts.open_files} a process"
    if facts.open_files >= OPEN_FILES_WARNING:
        return Finding("good", "open files", found)
    return Finding("warning", "open files", found, f"raise the limit: ulimit -n {4 * OPEN_FILES_WARNING}")


def _battery(facts: Facts) -> Finding:
    if facts.on_battery:
        return Finding("warning", "power", "on battery: the clock is held down", "plug it in")
    return Finding("good", "power", "not on battery")


def _results(facts: Facts) -> Finding:
    if facts.results_error:
        found = f"nothing can be written to {facts.results_dir} ({facts.results_error})"
        return Finding("bad", "results", found, "choose another folder with --results-dir", stops=True)
    free = facts.disk_free_mib
    found = f"{facts.results_dir} can be written" + ("" if free is None else f", {free / 1024:.1f} GiB free")
    if free is None or free >= DISK_WARNING_MIB:
        return Finding("good", "results", found)
    advice = "make room, or choose another folder with --results-dir: an hour of samples takes about 1 GiB"
    return Finding("bad" if free < DISK_BAD_MIB else "warning", "results", found, advice)


def _shared_memory(facts: Facts) -> Finding:
    if facts.shared_memory_error is None:
        return Finding("good", "shared memory", f"{SHARED_MEMORY} can be written")
    found = f"{SHARED_MEMORY} cannot be written ({facts.shared_memory_error}): gunicorn's heartbeat goes to a disk"
    advice = "mount a tmpfs there (docker run --shm-size 64m); else the workers of one side wait for the disk"
    return Finding("warning", "shared memory", found, advice)


def _services(facts: Facts) -> Finding:
    if facts.services_error is None:
        return Finding("good", "services", "PostgreSQL and Redis answer")
    advice = "mend that, or name servers of your own in DATABASE_URL and REDIS_URL"
    return Finding("bad", "services", facts.services_error, advice, stops=True)


def _listed(cpus: Sequence[int]) -> str:
    return "+".join(map(str, cpus))


RULES: tuple[Callable[[Facts], Finding], ...] = (
    _cpus,
    _cores,
    _governor,
    _cpu_limit,
    _stolen,
    _share,
    _other_work,
    _load_average,
    _timers,
    _memory,
    _swap,
    _open_files,
    _battery,
    _results,
    _shared_memory,
    _services,
)
