"""The records of `summary.json`: what a run found, how certain it is, and what must not be trusted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from loadtests.config import codec
from loadtests.config.profiles import Claim
from loadtests.errors import SuiteError

SCHEMA_VERSION = 1
BARE = "raw"  # the "framework" of servers without one

Verdict = Literal["a_better", "b_better", "equivalent", "inconclusive", "invalid"]
Finding = Literal[
    "a_better",
    "a_slightly_better",
    "b_slightly_better",
    "b_better",
    "equivalent",
    "about_equal",
    "too_noisy",
    "not_measured",
    "invalid",
]
Family = Literal["primary", "exploratory"]
Status = Literal["complete", "partial"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric of one contestant in one scenario; `low` to `high` is its 95 % interval over the rounds."""

    scenario: str
    contestant: str
    metric: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    rounds: int
    slices: int
    valid: bool = True
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ratio a / b of one metric in one scenario, and the verdict on it.

    `low` and `high`, and the same in `low_single` and `high_single`, are the plain 95 % interval. Within the primary
    family `low_adjusted` and `high_adjusted` are adjusted for all of it (Holm) and decide; an exploratory comparison
    has none, and its plain interval decides. `finding` says more than `verdict`: a slight difference may be within
    the margin; `about_equal` is undecided, but the whole plain interval lies `within` that fraction of 1 (so is an
    equivalent one within its margin). Summaries of version 0.2 and before have no findings, and adjusted intervals in
    `low` and `high`. `round_ratios` holds one ratio per round.
    """

    scenario: str
    metric: str
    a: str
    b: str
    ratio: float | None
    low: float | None
    high: float | None
    margin: float
    verdict: Verdict
    low_single: float | None = None
    high_single: float | None = None
    p_value: float | None = None
    rounds: int = 0
    blocks: int = 0
    round_ratios: tuple[float, ...] = ()
    note: str = ""
    family: Family = "exploratory"
    finding: Finding | None = None
    within: float | None = None
    low_adjusted: float | None = None
    high_adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """One check of one contestant in one scenario, in one of its loops (`closed`, `open`, `curve`) or in all (empty).

    `ok` None: it was not checked, and `note` says why; that must never read as passed. `value` None: there is none.
    """

    scenario: str
    contestant: str
    gate: str
    value: float | None
    limit: float | None
    ok: bool | None
    note: str = ""
    loop: str = ""


@dataclass(frozen=True, slots=True)
class AaRatio:
    """A contestant against its own second launch: what the method reports where nothing differs.

    `scenario` is empty where all scenarios are pooled. `failed`: this pooled interval leaves out 1, adjusted for all
    pooled ones (Holm).
    """

    metric: str
    ratio: float | None
    low: float | None
    high: float | None
    contestant: str = ""
    note: str = ""
    scenario: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """Response times in an open loop at a share of the server's own closed throughput, pooled over all rounds.

    rate_rps: the mean arrival rate; None for a percentile that too few requests were planned for. Other figures
    of the summary are at the rate that all contestants of a scenario have in common.
    """

    scenario: str
    contestant: str
    own_load: float
    rate_rps: float
    p50_ms: float | None
    p50_low_ms: float | None
    p50_high_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    p99_low_ms: float | None
    p99_high_ms: float | None
    p999_ms: float | None
    max_ms: float | None
    samples: int
    rounds: int
    valid: bool = True
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunNoise:
    """How disturbed the machine was: stolen CPU time, and the A-against-A ratios.

    `bias`: metric -> the systematic error that A against A found, as a fraction; every interval of the metric has it.
    """

    steal_percent: float | None
    aa: tuple[AaRatio, ...] = ()
    bias: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What was run, when and where, and all else that is needed to judge its samples.

    Times are ISO 8601 with a zone; `load_s` is how long servers were under load, warm-up included.
    `contestants` and `scenarios` map names to titles, `twins` a second launch to its original, `frameworks`
    contestants to frameworks (BARE: none); `keep_alive` says of each contestant whether it keeps connections open;
    `cpus` are those of the machine, `load_cpus` those of them that load generator and services have. `waiting`: the
    scenarios whose requests wait for something slow; `workers`: how many processes of a contestant answer, where they
    are more than one.
    """

    id: str
    status: Status
    profile: str
    seed: int
    started_at: str
    finished_at: str | None
    duration_s: float
    load_s: float | None = None
    rounds: int = 0
    margin: float = 0.03
    steal_limit_percent: float = 30.0
    cpus: int = 1
    load_cpus: int = 1
    stop_rule: str = ""
    precision: float | None = None
    design: str = "paired"
    machine: Mapping[str, str] = field(default_factory=dict)
    contestants: Mapping[str, str] = field(default_factory=dict)
    twins: Mapping[str, str] = field(default_factory=dict)
    frameworks: Mapping[str, str] = field(default_factory=dict)
    scenarios: Mapping[str, str] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    workers: Mapping[str, int] = field(default_factory=dict)
    keep_alive: Mapping[str, bool] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()

    def launches(self, contestant: str) -> tuple[str, ...]:
        """The names of a contestant's launches, its own first."""
        return (contestant, *(twin for twin, original in self.twins.items() if original == contestant))


@dataclass(frozen=True, slots=True)
class Summary:
    """All that a report needs."""

    run: RunInfo
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...]
    gates: tuple[GateResult, ...]
    noise: RunNoise
    loads: tuple[Load, ...] = ()

    def to_json(self) -> str:
        """The text of `summary.json`; a NaN in it is a mistake of the caller and raises ValueError."""
        document = {"schema_version": SCHEMA_VERSION, **codec.to_document(self)}
        return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Summary":
        """Read what `to_json` wrote. Unknown keys are ignored; SuiteError: it is not such a summary."""
        try:
            document = json.loads(text)
            if document["schema_version"] != SCHEMA_VERSION:
                raise ValueError(f"schema_version is {document['schema_version']}")  # noqa: TRY301
            return codec.from_document(cls, document)
        except (KeyError, TypeError, ValueError) as error:
            message = f"this is no summary of schema version {SCHEMA_VERSION} ({error}); run the bench again"
            raise SuiteError(message) from error
