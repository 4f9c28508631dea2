"""Known delays: a server that stamps how long it waited; what the client measures beyond that is error."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import mean

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.config.contestants import Contestant
from loadtests.config.scenarios import RequestTemplate, Scenario
from loadtests.load.drive import drive
from loadtests.machine.servers import Endpoint
from loadtests.plan.rounds import Round, Slice
from loadtests.reference.burner import STAMPS
from loadtests.samples.facts import SliceFacts, facts_in
from loadtests.samples.store import Failure, Samples
from loadtests.selftest.records import Check, as_figures
from loadtests.selftest.setting import Setting
from loadtests.selftest.stamps import read_json

NAME = "delays"
DELAYS_MS = (1, 5, 20, 100)
SCENARIOS = {f"delay-{delay_ms}ms": delay_ms for delay_ms in DELAYS_MS}
RATES_RPS = (50.0, 200.0, 500.0)
SLICE_S, WARMUP_S, USERS = 2.0, 0.1, 64
P50_LIMIT_MS, P99_LIMIT_MS = 0.3, 1.0
IDLE_STEAL_PERCENT, AWAKE_FROM_RPS = 0.5, 200.0
TITLE = "Known delays"
LIMIT = (
    f"on an idle machine service time is off by at most {P50_LIMIT_MS} ms at p50 and {P99_LIMIT_MS:g} ms at p99;"
    " no request is lost"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One slice: what was measured beyond the stamped delay; None where requests and stamps are not as many."""

    delay_ms: int
    rate_rps: float
    requests: int
    lost: int
    error_p50_ms: float | None
    error_p99_ms: float | None
    steal_percent: float
    judged: bool


def check(setting: Setting) -> Check:
    """One slice for every delay and rate, on one server."""
    setting.on_step("known delays")
    scenarios = [_scenario(delay_ms) for delay_ms in DELAYS_MS]
    round_, store = planned(setting.seed), setting.store(NAME)
    with setting.environment.servers([server(setting.floor)]) as endpoints:
        driven = drive(round_, scenarios, endpoints, cpus=setting.environment.load_cpus, seed=setting.seed)
        stamps = read_stamps(endpoints[NAME])
    store.save_round(0, driven)
    return judged(rows_of(store.round(0), stamps))


def planned(seed: int) -> Round:
    """The slices: every rate on every delay."""
    places = [(delay_ms, rate_rps) for delay_ms in DELAYS_MS for rate_rps in RATES_RPS]
    return Round(
        0,
        tuple(
            Slice(
                index,
                index,
                scenario_name(delay_ms),
                NAME,
                "open",
                SLICE_S,
                WARMUP_S,
                USERS,
                rate_rps,
                seed + index,
            )
            for index, (delay_ms, rate_rps) in enumerate(places)
        ),
    )


def server(floor: Contestant) -> Contestant:
    """The delaying server, under the name that its slices have."""
    command = ("{python}", "-m", "loadtests.reference.delays", "{port}")
    return replace(floor, name=NAME, command=command, scenarios=None)


def scenario_name(delay_ms: int) -> str:
    """`delay-5ms`."""
    return f"delay-{delay_ms}ms"


def _scenario(delay_ms: int) -> Scenario:
    template = RequestTemplate(1, "GET", f"/delay/{delay_ms}", None, 200, ())
    return Scenario(scenario_name(delay_ms), f"{delay_ms} ms", "", (template,), USERS, 100, 100)


def read_stamps(endpoint: Endpoint) -> NDArray[np.int64]:
    """All stamps in the order in which requests came in: shape (requests, 2), received and answered, nanoseconds."""
    stamps = np.array(read_json(endpoint, STAMPS), dtype=np.int64).reshape(-1, 2)
    ordered: NDArray[np.int64] = stamps[np.argsort(stamps[:, 0])]
    return ordered


def rows_of(samples: Samples, stamps: NDArray[np.int64]) -> list[Row]:
    """One row per slice."""
    return [
        _row(facts, samples.requests.filter(pl.col("slice") == facts.slice), stamps)
        for facts in facts_in(samples.slices)
    ]


def _row(facts: SliceFacts, requests: pl.DataFrame, stamps: NDArray[np.int64]) -> Row:
    inside = (stamps[:, 0] >= facts.start_ns) & (stamps[:, 0] <= facts.drained_ns)
    errors_ms = errors_of(requests, stamps[inside])
    stolen = 100 * facts.steal_ms / (facts.span_ns / 1e6)
    lost = int((requests["failure"] != Failure.NONE).sum()) + abs(requests.height - int(inside.sum()))
    rate_rps = facts.rate_rps or 0.0
    return Row(
        delay_ms=SCENARIOS[facts.scenario],
        rate_rps=rate_rps,
        requests=requests.height,
        lost=lost,
        error_p50_ms=float(np.quantile(errors_ms, 0.5)) if len(errors_ms) else None,
        error_p99_ms=float(np.quantile(errors_ms, 0.99)) if len(errors_ms) else None,
        steal_percent=stolen,
        judged=stolen <= IDLE_STEAL_PERCENT and rate_rps >= AWAKE_FROM_RPS,
    )


def errors_of(requests: pl.DataFrame, stamps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Measured service time less the stamped wait, in ms; empty where the two are not as many.

    Request and stamp belong together by their order in time: sent first, received first.
    """
    ordered = requests.sort("sent_ns")
    if ordered.height != len(stamps):
        return np.empty(0)
    service_ns = (ordered["end_ns"] - ordered["sent_ns"]).to_numpy()
    errors_ms: NDArray[np.float64] = (service_ns - (stamps[:, 1] - stamps[:, 0])) / 1e6
    return errors_ms


def judged(rows: Sequence[Row]) -> Check:
    """Losses are judged always; errors in the slices that ran on CPUs which were awake and this machine's alone.

    p99 is judged only where next to no time was stolen in all of them: neighbours disturb a tail beyond what is stolen.
    Below AWAKE_FROM_RPS the CPUs fall asleep between two requests, and waking them up is part of what is measured.
    """
    complete = all(one.lost == 0 and one.error_p50_ms is not None for one in rows)
    fit = [one for one in rows if one.judged and one.error_p50_ms is not None]
    text = f"{len(fit)} of {len(rows)} slices ran on CPUs that were awake, with no CPU time stolen"
    if complete and not fit:
        return Check(NAME, TITLE, LIMIT, None, f"not judged: {text}", as_figures(rows))
    half = max((one.error_p50_ms or 0.0 for one in fit), default=inf)
    tail = max((one.error_p99_ms or 0.0 for one in fit), default=inf)
    stolen = mean(one.steal_percent for one in rows)
    tail_fits = tail <= P99_LIMIT_MS or stolen > IDLE_STEAL_PERCENT
    text = f"{text}; {stolen:.1f} % stolen in all" + (
        ", too much to judge p99" if stolen > IDLE_STEAL_PERCENT else ""
    )
    return Check(
        name=NAME,
        title=TITLE,
        limit=LIMIT,
        ok=complete and half <= P50_LIMIT_MS and tail_fits,
        summary=f"off by {half:.2f} ms at p50 and {tail:.2f} ms at p99 at most; {text}",
        figures=as_figures(rows),
    )
