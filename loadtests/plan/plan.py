"""The plan: what is run and in which order, as a pure function of the profile, the contestants and one seed."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.random import Generator

from loadtests.config.contestants import Contestant, twin
from loadtests.config.profiles import Claim, Design, Profile, headline
from loadtests.config.scenarios import USUAL_SLICE_MS, WRITES, Scenario
from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.plan.sizes import Sizes, requests, slowest_rps, whole

TRIAL_WARMUPS = 3  # times the usual one: cold servers are slow
CURVE_LOADS = (0.2, 0.5, 0.8, 0.95)
CURVE_AFTER = 3  # rounds that tell each server's own throughput, pauses included


@dataclass(frozen=True, slots=True)
class _Block:
    """One slice of every contestant that takes part."""

    scenario: Scenario
    mode: Mode
    number: int
    load: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. `contestants`: all that may be launched, second launches (twins) included.

    `answers`: a scenario's name -> the names of the contestants that answer it. `blocks`: closed ones per scenario and
    round; `open_s`: how long an open slice is, one per scenario and round.
    `design`: paired slices take turns within each block; sequential ones load one contestant after the other, as most
    tools do, for comparison.
    """

    profile: Profile
    seed: int
    contestants: tuple[Contestant, ...]
    scenarios: tuple[Scenario, ...]
    claims: tuple[Claim, ...]
    answers: Mapping[str, tuple[str, ...]]
    design: Design = "paired"
    blocks: int = 2
    open_s: float = 1.0

    def round(
        self, index: int, sizes: Sizes | None, weights: Mapping[str, float] = MappingProxyType({})
    ) -> Round:
        """The slices of round `index`; while `sizes` is None, closed ones alone, their size given by longer warm-ups.

        weights: how many times its usual blocks a scenario gets; 1 where it is not named, 0 leaves it out. All slices
        of a scenario follow each other, so that pauses come as in a steady load. Scenarios that leave rows behind come
        after those that don't, and those that more servers answer come first: whatever is compared has the same
        history, and the same in every round. The order of blocks and contestants is drawn from (seed, index) alone.
        """
        rng = np.random.default_rng((self.seed, index))
        groups = [
            [*blocks]
            for scenario in self.scenarios
            for blocks in (self._blocks(scenario, sizes, weights), self._curve_blocks(scenario, sizes))
        ]
        order = [
            (block, contestant)
            for blocks in sorted(filter(None, groups), key=self._turn)
            for block in sorted(_shuffled(blocks, rng), key=lambda one: one.mode != "closed")
            for contestant in _shuffled(self._loaded(block), rng)
        ]
        if self.design == "sequential":
            turn = {name: place for place, name in enumerate(_shuffled(self.launched, rng))}
            order.sort(key=lambda one: turn[one[1]])
        slices = (self._slice(index, place, *one, sizes) for place, one in enumerate(order))
        warmup_s = self.profile.warmup_ms / 1000 * (TRIAL_WARMUPS if sizes is None else 1)
        return Round(index, tuple(slices), is_trial=sizes is None, warmup_s=warmup_s)

    @property
    def launched(self) -> tuple[str, ...]:
        """All contestants that answer something, twins included."""
        return tuple(dict.fromkeys(name for answering in self.answers.values() for name in answering))

    def is_open(self, scenario: Scenario) -> bool:
        """Whether the scenario has an open loop; all that can have one do where the profile's are not in the run."""
        wanted = {*self.profile.open_scenarios} & {one.name for one in self.scenarios}
        return scenario.open_slice_ms is not None and (not wanted or scenario.name in wanted)

    def _turn(self, blocks: Sequence[_Block]) -> tuple[int, bool, int]:
        """Where these blocks of one scenario come: a curve, which few servers get, as late as may be."""
        scenario = blocks[0].scenario
        return (
            WRITES.index(scenario.writes), blocks[0].mode == "curve", -len(self.answers[scenario.name])
        )  # fmt: skip

    def _blocks(
        self, scenario: Scenario, sizes: Sizes | None, weights: Mapping[str, float]
    ) -> Iterable[_Block]:
        weight = weights.get(scenario.name, 1.0)
        if weight <= 0:
            return
        shorter = USUAL_SLICE_MS / max(USUAL_SLICE_MS, scenario.slice_ms)  # of long slices fewer will do
        most_percent = max(one.slices_percent for one in self.scenarios)
        share = shorter * scenario.slices_percent / most_percent * weight
        for number in range(max(1, round(self.blocks * share))):
            yield _Block(scenario, "closed", number)
        if sizes is not None and scenario.name in sizes.rates and self.is_open(scenario):
            for number in range(max(1, round(weight))):
                yield _Block(scenario, "open", number)

    def _curve_blocks(self, scenario: Scenario, sizes: Sizes | None) -> Iterable[_Block]:
        if sizes is not None and scenario.name in sizes.own_rps:
            for number, load in enumerate(CURVE_LOADS):
                yield _Block(scenario, "curve", number, load)

    def _loaded(self, block: _Block) -> Sequence[str]:
        """The contestants that take part in a block."""
        answering = self.answers[block.scenario.name]
        return answering if block.mode != "curve" else [one for one in answering if one in self.curve_pair]

    @property
    def curve_pair(self) -> tuple[str, ...]:
        """Whose latency is measured against their own load: the pair that opens the report, and its second launches."""
        pair = headline(self.claims)
        names = () if pair is None else (pair.a, pair.b)
        return tuple(one.name for one in self.contestants if (one.twin_of or one.name) in names)

    def _slice(
        self, round_index: int, place: int, block: _Block, contestant: str, sizes: Sizes | None
    ) -> Slice:
        scenario = block.scenario
        closed = block.mode == "closed"
        rate_rps = None if closed or sizes is None else _rate(block, contestant, sizes)
        return Slice(
            index=place,
            block=block.number,
            scenario=scenario.name,
            contestant=contestant,
            mode=block.mode,
            duration_s=scenario.slice_ms / 1000 if closed else self.open_s,
            warmup_s=0.0,
            concurrency=scenario.concurrency,
            rate_rps=rate_rps,
            seed=_block_seed(self.seed, round_index, block),
            arrivals=self.profile.arrivals,
            requests=self._requests(scenario, rate_rps, sizes),
            load=block.load,
        )

    def _requests(self, scenario: Scenario, rate_rps: float | None, sizes: Sizes | None) -> int | None:
        """How many requests a slice has: of an open one as many as are due in its time; None in a trial."""
        if sizes is None:
            return None
        if rate_rps is None:
            return sizes.requests.get(scenario.name)
        return whole(rate_rps * self.open_s, scenario.cycle)

    def sizes(self, closed_rps: Mapping[str, Mapping[str, float]]) -> Sizes:
        """What a measured round fixes for those after it; closed_rps: scenario -> contestant -> requests/s."""
        known = {one.name: one for one in self.scenarios if one.name in closed_rps}
        rates = {name: self.profile.open_load * slowest_rps(closed_rps[name]) for name in known}
        return Sizes(
            {
                name: requests(closed_rps[name], one.slice_ms / 1000, one.concurrency, one.cycle)
                for name, one in known.items()
            },
            {name: rate for name, rate in rates.items() if rate and self.is_open(known[name])},
        )


def make_plan(
    profile: Profile,
    seed: int,
    contestants: Sequence[Contestant],
    scenarios: Sequence[Scenario],
    claims: Sequence[Claim],
    design: Design = "paired",
) -> Plan:
    """Put a run together: claims on contestants that are not in it are dropped, twins are added."""
    names = [one.name for one in contestants]
    twins = [twin(one) for name in profile.twins for one in contestants if one.name == name]
    return Plan(
        profile=profile,
        seed=seed,
        contestants=(*contestants, *twins),
        scenarios=tuple(scenarios),
        claims=tuple(claim for claim in claims if claim.a in names and claim.b in names),
        answers={scenario.name: _answering(scenario, contestants, twins) for scenario in scenarios},
        design=design,
    )


def _answering(
    scenario: Scenario, contestants: Sequence[Contestant], twins: Sequence[Contestant]
) -> tuple[str, ...]:
    """The names of those that answer the scenario, then of their twins."""
    return tuple(one.name for one in (*contestants, *twins) if one.answers(scenario.name))


def _rate(block: _Block, contestant: str, sizes: Sizes) -> float:
    name = block.scenario.name
    return (
        (block.load or 0.0) * sizes.own_rps[name].get(contestant, 0.0)
        if block.mode == "curve"
        else sizes.rates[name]
    )


Item = TypeVar("Item")


def _shuffled(items: Sequence[Item], rng: Generator) -> list[Item]:
    return [items[place] for place in rng.permutation(len(items))]


def _block_seed(seed: int, round_index: int, block: _Block) -> int:
    """A seed below 2**32 for a block: independent of what else is run, equal for all its contestants."""
    name = zlib.crc32(f"{block.scenario.name}/{block.mode}".encode())
    return int(np.random.SeedSequence((seed, round_index, name, block.number)).generate_state(1)[0])
