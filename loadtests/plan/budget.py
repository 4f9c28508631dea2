"""How a run's time is spent: how large its rounds are, and when to stop. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from loadtests.config.contestants import Contestant
from loadtests.config.profiles import Claim, Design, Profile
from loadtests.config.scenarios import Scenario
from loadtests.plan.plan import Plan, make_plan
from loadtests.plan.rounds import Mode, Slice
from loadtests.plan.sizes import Sizes

FEW_ROUNDS, MANY_ROUNDS = 8, 22  # an interval is over rounds: more of them narrow it, larger ones hardly do
FEW_UP_TO_S = 300.0
MIN_ROUNDS = 8  # before a run may stop at a precision
LAUNCH_S, LAUNCH_EACH_S = 2.0, 0.6  # a round's fixed time, and what each of its servers adds
SETTLE_S = 0.2  # until the garbage collector is in its long-run state, before an open loop
GAP_S = 0.015  # between two slices: draining, the counts before and after, a brief warm-up
AS_SLOW_AS = 0.9  # the servers' mean time for a closed slice over the slowest one's in the trial
START_S, REPORT_S = 4.0, 5.0  # before the first round, after the last
SPARE = 0.03  # of the time, so that the last round fits
BLOCKS_MAX = 100
OPEN_S_MAX = 10.0


def rounds_wanted(budget_s: float) -> int:
    """How many rounds a budget is divided into."""
    return FEW_ROUNDS if budget_s <= FEW_UP_TO_S else MANY_ROUNDS


def fitted(
    profile: Profile,
    seed: int,
    contestants: Sequence[Contestant],
    scenarios: Sequence[Scenario],
    claims: Sequence[Claim],
    design: Design = "paired",
    rounds: int | None = None,
) -> Plan:
    """The plan whose rounds are as large as lets so many of them fit into the profile's budget.

    Closed blocks fill their share of a round's time; open slices get what is then left of it. A run of few contestants
    and scenarios gets larger rounds, so that launching them stays a small part of it; one with a small budget smaller.
    """
    plan = make_plan(profile, seed, contestants, scenarios, claims, design)
    time_s = (1 - SPARE) * (profile.budget_s - START_S - REPORT_S)
    round_budget_s = time_s / (rounds or rounds_wanted(profile.budget_s))
    load_s = round_budget_s - launch_s(plan)
    opened = len(_slices(plan, "open", "curve"))
    least_s = max((one.open_slice_ms or 0 for one in scenarios), default=0) / 1000
    open_load_s = opened and max(profile.open_share * load_s, opened * (least_s + open_gap_s(plan)))

    def closed_load_s(blocks: int) -> float:
        return _load_s(replace(plan, blocks=blocks), "closed")

    blocks = 1 + bisect_right(range(2, BLOCKS_MAX + 1), load_s - open_load_s, key=closed_load_s)
    open_s = (load_s - closed_load_s(blocks)) / opened - open_gap_s(plan) if opened else 0.0
    return replace(plan, blocks=blocks, open_s=min(max(open_s, least_s), OPEN_S_MAX))


def round_s(plan: Plan) -> float:
    """About how long one round of a plan takes, launches included."""
    return launch_s(plan) + _load_s(plan, "closed", "open", "curve")


def launch_s(plan: Plan) -> float:
    """About how long launching and warming up takes."""
    answers = sum(map(len, plan.answers.values()))
    return LAUNCH_S + LAUNCH_EACH_S * len(plan.launched) + answers * plan.profile.warmup_ms / 1000


def open_gap_s(plan: Plan) -> float:
    """What an open slice takes besides its load."""
    return GAP_S + SETTLE_S + plan.profile.warmup_ms / 1000


def _load_s(plan: Plan, *modes: Mode) -> float:
    return sum(
        piece.duration_s * AS_SLOW_AS + GAP_S
        if piece.mode == "closed"
        else piece.duration_s + open_gap_s(plan)
        for piece in _slices(plan, *modes)
    )


def _slices(plan: Plan, *modes: Mode) -> list[Slice]:
    """The slices of a typical round by their modes."""
    rates = {scenario.name: 1.0 for scenario in plan.scenarios}
    curves = {name: dict.fromkeys(plan.launched, 1.0) for name in plan.profile.curve_scenarios}
    typical = plan.round(1, Sizes(dict.fromkeys(rates, 1), rates, curves))
    return [piece for piece in typical.slices if piece.mode in modes]


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
