"""Gates on CPU time: of the load generator, of the CPUs it runs on, of other programs, and of other machines."""

from math import sqrt

import polars as pl

from loadtests.analysis.evidence import NO_METER, Evidence, Inspection, not_checked

GENERATOR_LIMIT_PERCENT = 80.0
FULL_PERCENT = 95.0
LOAD_CPUS_LIMIT_PERCENT = 95.0
FOREIGN_LIMIT_PERCENT = 5.0
ASIDE_LIMIT_PERCENT = 50.0
TICK_NS = 10_000_000  # in which the kernel counts what CPUs had to do
ERRORS = 2  # standard errors of a sum of ticks that a gate allows for
SERVICES = ("database_cpu_ns", "redis_cpu_ns", "partner_cpu_ns")


def generator_cpu(evidence: Evidence) -> Inspection:
    """CPU time of the load process over the time of the slices, in percent of one core.

    In a closed loop a server that fills a CPU is the bottleneck itself, unless the load process fills its own as well.
    """
    read = evidence.slices.drop_nulls("generator_cpu_ns")
    if _span_ns(read) <= 0:
        return not_checked(GENERATOR_LIMIT_PERCENT, NO_METER)
    percent = 100 * float(read["generator_cpu_ns"].sum()) / _span_ns(read)
    note = f"the load generator used {percent:.0f} % of its core and may have been the bottleneck"
    filled = bool((read["mode"] == "closed").all()) and _server_percent(read) >= FULL_PERCENT
    limit = FULL_PERCENT if filled else GENERATOR_LIMIT_PERCENT
    return Inspection(percent, limit, percent < limit, note)


def _server_percent(slices: pl.DataFrame) -> float:
    """What the server used, in percent of one CPU; 0 where it was not read in all slices."""
    if slices["server_cpu_ns"].null_count():
        return 0.0
    return 100 * float(slices["server_cpu_ns"].sum()) / _span_ns(slices)


def load_cpus(evidence: Evidence) -> Inspection:
    """How busy the CPUs of load generator and services were, with whatever ran there, in percent of their time."""
    read = evidence.slices.drop_nulls("load_cpus_busy_ns")
    if _span_ns(read) <= 0:
        return not_checked(LOAD_CPUS_LIMIT_PERCENT, NO_METER)
    cpus = evidence.run.load_cpus
    percent = 100 * float(read["load_cpus_busy_ns"].sum()) / cpus / _span_ns(read)
    note = (
        f"the CPUs of load generator and database were {percent:.0f} % busy, and may have been the bottleneck"
    )
    is_free = percent - _error_percent(read, cpus) / cpus < LOAD_CPUS_LIMIT_PERCENT
    return Inspection(percent, LOAD_CPUS_LIMIT_PERCENT, is_free, note)


def foreign_cpu(evidence: Evidence) -> Inspection:
    """CPU time of other programs on the CPUs of the server or of the load, whichever is more, in percent of the time.

    Other programs are all but this server's processes; on the load's CPUs, all but load generator and services. Sums
    over the slices of a cell, less twice their standard error: the kernel counts in ticks of 10 ms.
    """
    servers = evidence.slices.drop_nulls(["server_cpus_busy_ns", "server_cpu_ns"])
    if _span_ns(servers) <= 0:
        return not_checked(FOREIGN_LIMIT_PERCENT, NO_METER)
    run, load = evidence.run, evidence.slices.drop_nulls("load_cpus_busy_ns")
    on_servers = _foreign_percent(servers, "server_cpus_busy_ns", ("server_cpu_ns",))
    certain = [on_servers - _error_percent(servers, run.cpus - run.load_cpus)]
    on_load = None
    if _are_services_known(load):
        on_load = _foreign_percent(load, "load_cpus_busy_ns", ("generator_cpu_ns", *SERVICES))
        certain.append(on_load - _error_percent(load, run.load_cpus))
    shown = "an unknown share" if on_load is None else f"{on_load:.1f} %"
    note = f"other programs used {on_servers:.1f} % of a CPU among those of the server, {shown} among those of the load"
    ok = max(certain) < FOREIGN_LIMIT_PERCENT
    return Inspection(max(on_servers, on_load or 0.0), FOREIGN_LIMIT_PERCENT, ok, note)


def steal(evidence: Evidence) -> Inspection:
    """How many of the slices were set aside because the hypervisor took too much CPU time, in percent."""
    read = evidence.slices.drop_nulls("steal_ms")
    if read.is_empty():
        return not_checked(ASIDE_LIMIT_PERCENT, NO_METER)
    aside = int(read["aside"].sum())
    percent = 100 * aside / read.height
    limit = evidence.run.steal_limit_percent
    note = f"{aside} of {read.height} slices set aside: other machines took more than {limit:g} % of their CPU time"
    return Inspection(percent, ASIDE_LIMIT_PERCENT, percent <= ASIDE_LIMIT_PERCENT, note if aside else "")


def _span_ns(slices: pl.DataFrame) -> int:
    return int((slices["drained_ns"] - slices["start_ns"]).sum())


def _are_services_known(load: pl.DataFrame) -> bool:
    """Whether what services used is known: ours were read, or there were none. The user's own may be on these CPUs."""
    known = [load[name].null_count() == 0 for name in SERVICES]
    return _span_ns(load) > 0 and (all(known) or not known[-1])


def _foreign_percent(slices: pl.DataFrame, busy: str, own: tuple[str, ...]) -> float:
    used_ns = sum(int(slices[name].sum()) for name in own)
    return 100 * (int(slices[busy].sum()) - used_ns) / _span_ns(slices)


def _error_percent(slices: pl.DataFrame, cpus: int) -> float:
    """ERRORS standard errors of the sum of what so many CPUs had to do in these slices, in percent of their time.

    A slice is the difference of two readings, each rounded down to a tick: a variance of tick² / 6 for each CPU.
    """
    return 100 * ERRORS * TICK_NS * sqrt(slices.height * max(cpus, 1) / 6) / _span_ns(slices)
