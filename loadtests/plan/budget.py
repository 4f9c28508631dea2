"""How a run's time is spent: how large its rounds are, and when to stop. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from loadtests.config.contestants import Contestant
from loadtests.config.profiles import Claim, Design, Profile
from loadtests.config.scenarios import Scenario
from loadtests.plan.plan import Plan, make_plan

ROUNDS_WANTED = 6  # an interval is over rounds: with fewer it gets wide fast
MIN_ROUNDS = 8  # before a run may stop at a precision
ROUNDS_PRECISE = 2 * MIN_ROUNDS  # where a precision is asked for, so that there are rounds left to steer
LAUNCH_S, LAUNCH_EACH_S = 4.5, 0.6  # a round's fixed time, and what each of its servers adds
GAP_S = 0.075  # between two slices: draining, the counts before and after
REPORT_S = 8.0
BLOCKS_MAX = 40


def fitted(
    profile: Profile,
    seed: int,
    contestants: Sequence[Contestant],
    scenarios: Sequence[Scenario],
    claims: Sequence[Claim],
    design: Design = "paired",
    rounds: int = ROUNDS_WANTED,
) -> Plan:
    """The plan with as many blocks per round as let at least so many rounds fit into the profile's budget.

    A run of few contestants and scenarios gets larger rounds, so that launching them stays a small part of it;
    one with a small budget gets smaller ones.
    """

    def plan_of(blocks: int) -> Plan:
        opened = max(1, round(blocks * profile.open_blocks / profile.closed_blocks))
        sized = replace(profile, closed_blocks=blocks, open_blocks=opened)
        return make_plan(sized, seed, contestants, scenarios, claims, design)

    wanted_s = (profile.budget_s - REPORT_S) / rounds
    more = bisect_right(range(2, BLOCKS_MAX + 1), wanted_s, key=lambda blocks: round_s(plan_of(blocks)))
    return plan_of(1 + more)


def round_s(plan: Plan) -> float:
    """About how long one round of a plan takes, launches included."""
    typical = plan.round(1, {scenario.name: 1.0 for scenario in plan.scenarios})
    return LAUNCH_S + LAUNCH_EACH_S * len(typical.contestants) + typical.load_s + GAP_S * len(typical.slices)


def another_fits(budget_s: float, elapsed_s: float, longest_round_s: float) -> bool:
    """Whether one more round, as long as the longest so far, would leave time for the report."""
    return elapsed_s + longest_round_s + REPORT_S <= budget_s


def stop_rule(profile: Profile, precision: float | None) -> str:
    """The rule as the report states it; fixed before the run."""
    last = (
        f"after {profile.max_rounds} rounds, or when another round would not fit into {profile.budget_s:g} s"
    )
    if precision is None:
        return f"stop {last}; results are not looked at"
    return (
        f"stop when every headline interval reaches {100 * precision:g} % or less to either side, after"
        f" {MIN_ROUNDS} rounds at least; else {last}; only widths are looked at, never ratios"
    )
