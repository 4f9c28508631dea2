"""The gates: no number without them. Each is a function of the evidence; what it finds is a value, never an exception.

A gate looks at one contestant in one scenario. A failed one makes that cell invalid; the number stays visible.
"""

from collections.abc import Callable, Mapping, Sequence

from loadtests.analysis import answer_gates, load_gates
from loadtests.analysis.digest import Digest
from loadtests.analysis.evidence import Evidence, Inspection, evidence_in
from loadtests.analysis.summary import GateResult, RunInfo

GATES: Mapping[str, Callable[[Evidence], Inspection]] = {
    "error_rate": answer_gates.error_rate,
    "unfinished": answer_gates.unfinished,
    "achieved_rate": load_gates.achieved_rate,
    "generator_cpu": load_gates.generator_cpu,
    "request_count": answer_gates.request_count,
    "bytes": answer_gates.equal_bytes,
    "keep_alive": answer_gates.keep_alive,
    "littles_law": load_gates.littles_law,
    "send_lag": load_gates.send_lag,
    "send_lag_tail": load_gates.send_lag_tail,
    "steal": answer_gates.steal,
}

LOOPS: Mapping[str, tuple[str, ...]] = {
    "achieved_rate": ("open", "tail"),
    "send_lag": ("open", "tail"),
    "send_lag_tail": ("tail",),
    "littles_law": ("closed",),
}
"""The metrics that a gate is about, by `metrics.loop_of`; one that is not named here is about all of them."""
EVERYWHERE = ("closed", "open", "tail")

Reasons = Mapping[tuple[str, str, str], tuple[str, ...]]
"""(scenario, contestant, loop) -> why the metrics of that loop must not be trusted, in plain words."""


def inspect(digest: Digest, run: RunInfo) -> list[GateResult]:
    """Every gate on every contestant of every scenario, in the order of the data."""
    return [
        GateResult(scenario, contestant, gate, found.value, found.limit, found.ok, found.note)
        for (scenario, contestant), evidence in evidence_in(digest, run)
        for gate, look in GATES.items()
        for found in [look(evidence)]
    ]


def reasons(results: Sequence[GateResult]) -> Reasons:
    """Why metrics must not be trusted, out of the results of all gates."""
    failed: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for one in results:
        for loop in () if one.ok else LOOPS.get(one.gate, EVERYWHERE):
            key = (one.scenario, one.contestant, loop)
            failed[key] = (*failed.get(key, ()), f"{one.gate}: {one.note}")
    return failed
