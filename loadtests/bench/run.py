"""A bench run: measure round by round, judge, report. Start reading here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from loadtests.analysis import precision
from loadtests.analysis.digest import Digest, digest, merge
from loadtests.analysis.observations import closed_throughput
from loadtests.analysis.summary import RunInfo, Summary
from loadtests.analysis.verdict import headline_widths, summarise
from loadtests.bench.record import BenchRun, load_run
from loadtests.plan import budget
from loadtests.plan.plan import CURVE_AFTER
from loadtests.plan.rounds import Round, named
from loadtests.report.tables import Table
from loadtests.runs.measuring import Observer, Series, measure_rounds
from loadtests.samples.store import Measurement, RunStore, Samples, of_round


def measure(run: BenchRun, folder: Path, observer: Observer) -> BenchRun:
    """Measures round by round, from the first that is not finished, until the stopping rule ends the run.

    A round depends on the options and on the rounds before it alone: a resumed run continues as if it had not stopped.
    """
    store = RunStore(folder)
    digest_ = digested(store.rounds(), run)

    def next_round(run: BenchRun, longest_s: float) -> Round | None:
        widths = widths_of(digest_, run)
        over = is_over(run, digest_.rounds, widths, longest_s)
        return None if over else round_after(run, digest_.rounds, widths)

    def updated(run: BenchRun, measured: Measurement) -> BenchRun:
        nonlocal digest_
        digest_ = merge([digest_, digested([of_round(measured, digest_.rounds)], run)])
        argv = dict(measured.servers.select("contestant", "argv").iter_rows())
        return replace(_sized(run, digest_), servers={**run.servers, **argv})

    plan = run.plan
    series = Series(plan.seed, plan.contestants, plan.scenarios, next_round, updated)
    return measure_rounds(_sized(run, digest_), folder, series, store, observer)


def report(folder: Path, selftest: Sequence[Table] = ()) -> Summary:
    """Judges what the folder holds and writes the report into it; measures nothing, and reads nothing else.

    selftest: tables that say how far the suite can be trusted on this machine, shown as well.
    """
    run = load_run(folder)
    digest_ = digested(RunStore(folder).rounds(), run)
    summary = summarise(digest_, info_of(run, digest_))
    from loadtests.report.files import write_report  # noqa: PLC0415  charts take long to import

    write_report(summary, digest_, folder, selftest)
    return summary


def digested(rounds: Iterable[Samples], run: BenchRun) -> Digest:
    """What reports are made of, under the profile's limit of stolen time."""
    return digest(rounds, run.plan.profile.steal_limit_percent, run.cpus)


def info_of(run: BenchRun, digest_: Digest) -> RunInfo:
    """What the report says of a run."""
    plan = run.plan
    contestants = named(sorted(plan.launched), plan.contestants)
    return RunInfo(
        id=run.id,
        status=run.status,
        profile=plan.profile.name,
        seed=plan.seed,
        started_at=run.started_at,
        finished_at=run.finished_at,
        duration_s=run.elapsed_s,
        load_s=digest_.load_s,
        rounds=digest_.rounds,
        margin=plan.profile.margin,
        steal_limit_percent=plan.profile.steal_limit_percent,
        cpus=run.cpus,
        load_cpus=run.load_cpus,
        stop_rule=budget.stop_rule(plan.profile, run.options.precision),
        precision=run.options.precision,
        design=plan.design,
        machine=run.machine,
        contestants={one.name: one.title for one in contestants},
        twins={one.name: one.twin_of for one in contestants if one.twin_of},
        frameworks={one.name: one.framework for one in contestants},
        scenarios={one.name: one.title for one in plan.scenarios},
        waiting=tuple(one.name for one in plan.scenarios if one.waits),
        workers={one.name: one.workers for one in contestants if one.workers > 1},
        keep_alive={one.name: one.keep_alive for one in contestants},
        claims=plan.claims,
    )


def is_over(run: BenchRun, finished: int, widths: Mapping[str, float], longest_s: float) -> bool:
    """Whether the stopping rule ends the run; widths: how far its headline intervals reach, by scenario."""
    if finished == 0:
        return False
    wanted, profile = run.options.precision, run.plan.profile
    if wanted is not None and precision.reached(widths, wanted, finished):
        return True
    return finished >= profile.max_rounds or not budget.another_fits(
        profile.budget_s, run.elapsed_s, longest_s
    )


def round_after(run: BenchRun, finished: int, widths: Mapping[str, float]) -> Round:
    """The next round; where a precision was asked for, with more of what is still wide."""
    wanted = run.options.precision
    weights = precision.weights(widths, wanted, finished) if wanted is not None else {}
    return run.plan.round(finished, run.sizes, weights)


def widths_of(digest_: Digest, run: BenchRun) -> dict[str, float]:
    """How far the headline intervals reach, by scenario; of no interest unless a precision was asked for."""
    if run.options.precision is None or digest_.rounds < budget.MIN_ROUNDS:
        return {}
    return headline_widths(digest_, info_of(run, digest_))


def _sized(run: BenchRun, digest_: Digest) -> BenchRun:
    """The record with what the rounds so far fix for those to come; what it holds already stays."""
    known_rps = closed_throughput(digest_)
    found = run.plan.sizes(known_rps)
    curves = run.plan.profile.curve_scenarios if digest_.rounds >= CURVE_AFTER else ()
    own_rps = {name: known_rps[name] for name in curves if name in known_rps}
    return replace(
        run,
        requests=run.requests or found.requests,
        rates=run.rates or found.rates,
        own_rps=run.own_rps or own_rps,
    )
