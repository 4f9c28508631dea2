"""Servers that burn CPU time: what they stamp, how much extra work that makes, and what it costs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

from loadtests.analysis.estimates import Ratio, ratio_of
from loadtests.config.contestants import Contestant
from loadtests.machine.servers import Endpoint
from loadtests.reference.burner import STAMPS
from loadtests.runs.paired_study import closed_plan, rounds
from loadtests.selftest.setting import Setting, wrapped
from loadtests.selftest.stamps import StampLog, read_json

TRIAL_ROUNDS, TRIAL_BLOCKS, TRIAL_LOOPS = 3, 8, 2000
TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a server has counted so far: requests, nanoseconds burnt for them, CPU time of its process."""

    requests: int
    burnt_ns: int
    cpu_ns: int

    def since(self, before: "Stamp") -> "Stamp":
        """The difference."""
        return Stamp(
            self.requests - before.requests, self.burnt_ns - before.burnt_ns, self.cpu_ns - before.cpu_ns
        )

    @property
    def cost_ns(self) -> float:
        """CPU time per request."""
        return self.cpu_ns / self.requests

    @property
    def burnt_each_ns(self) -> float:
        """How much of that was burnt."""
        return self.burnt_ns / self.requests


StampedRounds = Sequence[Mapping[str, Stamp]]
"""Round by round, what each server has counted in it."""


def read_stamp(endpoint: Endpoint) -> Stamp:
    """A wrapped server's stamp."""
    return Stamp(**read_json(endpoint, STAMPS))


def truth(stamped: StampedRounds, name: str, base: str) -> Ratio:
    """The ratio of two servers' CPU times per request by their own counts, one value per round."""
    logs = {number: log(one[name].cost_ns / one[base].cost_ns) for number, one in enumerate(stamped)}
    return ratio_of(logs, blocks=len(logs))


def turns_for(setting: Setting, one: Contestant, percents: Sequence[float]) -> dict[float, int]:
    """percent -> how many turns of the burner take that share of a plain request's CPU time; measured first."""
    setting.on_step(f"how much {one.name} costs by itself")
    trial, stamp_log = (wrapped(one, TRIAL, TRIAL_LOOPS),), StampLog(read_stamp)
    plan, store = closed_plan(trial, TRIAL_BLOCKS, setting.seed), setting.store(f"trial-{one.name}")
    for _ in rounds(setting.environment, plan, trial, TRIAL_ROUNDS, store, stamp_log.read):
        pass
    stamps = [round_[TRIAL] for round_ in stamp_log.rounds]
    own_ns = min(one.cost_ns - one.burnt_each_ns for one in stamps)  # noise only adds to what a request costs
    a_turn_ns = min(one.burnt_each_ns for one in stamps) / TRIAL_LOOPS
    return {percent: round(percent / 100 * own_ns / a_turn_ns) for percent in percents}
