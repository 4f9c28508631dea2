"""The gates: no number without them. Each is a function of the evidence; what it finds is a value, never an exception.

A gate looks at one loop of one contestant in one scenario, since a load generator that is idle half of the time in one
loop may be overloaded in another. A failed one makes the figures of that loop invalid; they stay visible.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.analysis import answer_gates, cpu_gates, load_gates
from loadtests.analysis.digest import OPEN, Digest
from loadtests.analysis.evidence import Evidence, Inspection, evidence_in
from loadtests.analysis.summary import GateResult, RunInfo

CLOSED = ("closed",)
EACH = (*CLOSED, *OPEN)
WHOLE = ("",)  # what cannot be told apart by loop: connections outlive slices, and bodies are pooled


@dataclass(frozen=True, slots=True)
class Gate:
    """What is looked for, and in which loops each for itself."""

    look: Callable[[Evidence], Inspection]
    loops: tuple[str, ...] = EACH


GATES: Mapping[str, Gate] = {
    "error_rate": Gate(answer_gates.error_rate),
    "unfinished": Gate(answer_gates.unfinished),
    "achieved_rate": Gate(load_gates.achieved_rate, OPEN),
    "generator_cpu": Gate(cpu_gates.generator_cpu),
    "load_cpus": Gate(cpu_gates.load_cpus),
    "foreign_cpu": Gate(cpu_gates.foreign_cpu),
    "request_count": Gate(answer_gates.request_count),
    "bytes": Gate(answer_gates.equal_bytes, WHOLE),
    "same_answers": Gate(answer_gates.same_answers),
    "keep_alive": Gate(answer_gates.keep_alive, WHOLE),
    "littles_law": Gate(load_gates.littles_law, CLOSED),
    "send_lag": Gate(load_gates.send_lag, OPEN),
    "send_lag_tail": Gate(load_gates.send_lag_tail, OPEN),
    "steal": Gate(cpu_gates.steal),
}

AFFECTED: Mapping[str, tuple[str, ...]] = {
    "closed": ("closed",),
    "open": ("open", "tail"),
    "curve": ("curve",),
    "": ("closed", "open", "tail", "curve"),
}
"""The metrics that a gate on a loop is about, by `metrics.loop_of`."""
TAIL_ALONE = ("send_lag_tail", "open")

Reasons = Mapping[tuple[str, str, str], tuple[str, ...]]
"""(scenario, contestant, loop) -> why the metrics of that loop must not be trusted, in plain words."""


def inspect(digest: Digest, run: RunInfo) -> list[GateResult]:
    """Every gate on every contestant of every scenario, in each loop that was measured; in the order of the data."""
    return [
        GateResult(scenario, contestant, name, found.value, found.limit, found.ok, found.note, loop)
        for (scenario, contestant), evidence in evidence_in(digest, run)
        for name, gate in GATES.items()
        for loop, part in _parts(evidence, gate.loops)
        for found in [gate.look(part)]
    ]


def _parts(evidence: Evidence, loops: Sequence[str]) -> list[tuple[str, Evidence]]:
    if loops == WHOLE:
        return [("", evidence)]
    parts = [(loop, evidence.of_loop(loop)) for loop in loops]
    return [(loop, part) for loop, part in parts if not part.slices.is_empty()]


def reasons(results: Sequence[GateResult]) -> Reasons:
    """Why metrics must not be trusted, out of the results of all gates."""
    failed: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for one in results:
        affected = ("tail",) if (one.gate, one.loop) == TAIL_ALONE else AFFECTED[one.loop]
        for loop in affected if one.ok is False else ():
            key = (one.scenario, one.contestant, loop)
            failed[key] = (*failed.get(key, ()), f"{one.gate}: {one.note}")
    return failed
