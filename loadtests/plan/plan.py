"""The plan: what is run and in which order, as a pure function of the profile, the contestants and one seed."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.random import Generator

from loadtests.config.contestants import Contestant, twin
from loadtests.config.profiles import Claim, Design, Profile
from loadtests.config.scenarios import Scenario
from loadtests.plan.rounds import Mode, Round, Slice

TWIN_SCENARIO = "ping"
CLOSED_ONLY_SHARE = 4  # a scenario without an open loop has long slices: a quarter of the blocks will do


@dataclass(frozen=True, slots=True)
class _Block:
    """One slice of every contestant that answers the scenario."""

    scenario: Scenario
    mode: Mode
    number: int
    rate_rps: float | None

    @property
    def duration_s(self) -> float:
        slice_ms = self.scenario.slice_ms if self.mode == "closed" else self.scenario.open_slice_ms
        return (slice_ms or 0) / 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. `contestants`: all that may be launched, second launches (twins) included.

    `answers`: a scenario's name -> the names of the contestants that answer it.
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

    def round(
        self,
        index: int,
        rates: Mapping[str, float] | None,
        weights: Mapping[str, float] = MappingProxyType({}),
    ) -> Round:
        """The slices of round `index`; open ones at rates[scenario], none while `rates` is None.

        weights: how many times its usual blocks a scenario gets; 1 where it is not named, 0 leaves it out. The order of
        the blocks and of the contestants within each is drawn from (seed, index) alone.
        """
        rng = np.random.default_rng((self.seed, index))
        blocks = [*self._closed_blocks(weights), *self._open_blocks(rates or {}, weights)]
        order = [
            (block, contestant)
            for block in _shuffled(blocks, rng)
            for contestant in _shuffled(self.answers[block.scenario.name], rng)
        ]
        if self.design == "sequential":
            turn = {name: place for place, name in enumerate(_shuffled(self.launched, rng))}
            order.sort(key=lambda one: turn[one[1]])
        slices = (self._slice(index, place, block, name) for place, (block, name) in enumerate(order))
        return Round(index, tuple(slices))

    @property
    def launched(self) -> tuple[str, ...]:
        """All contestants that answer something, twins included."""
        return tuple(dict.fromkeys(name for answering in self.answers.values() for name in answering))

    def _closed_blocks(self, weights: Mapping[str, float]) -> Iterable[_Block]:
        for scenario in self.scenarios:
            blocks = self.profile.closed_blocks
            if scenario.open_slice_ms is None:
                blocks = max(1, blocks // CLOSED_ONLY_SHARE)
            for number in range(_weighted(blocks, scenario, weights)):
                yield _Block(scenario, "closed", number, None)

    def _open_blocks(self, rates: Mapping[str, float], weights: Mapping[str, float]) -> Iterable[_Block]:
        for scenario in self.scenarios:
            if scenario.open_slice_ms is not None and scenario.name in rates:
                for number in range(_weighted(self.profile.open_blocks, scenario, weights)):
                    yield _Block(scenario, "open", number, rates[scenario.name])

    def _slice(self, round_index: int, place: int, block: _Block, contestant: str) -> Slice:
        return Slice(
            index=place,
            block=block.number,
            scenario=block.scenario.name,
            contestant=contestant,
            mode=block.mode,
            duration_s=block.duration_s,
            warmup_s=self.profile.warmup_ms / 1000,
            concurrency=block.scenario.concurrency,
            rate_rps=block.rate_rps,
            seed=_block_seed(self.seed, round_index, block),
            arrivals=self.profile.arrivals,
        )


def make_plan(
    profile: Profile,
    seed: int,
    contestants: Sequence[Contestant],
    scenarios: Sequence[Scenario],
    claims: Sequence[Claim],
    design: Design = "paired",
) -> Plan:
    """Put a run together: claims on contestants that are not in it are dropped, twins are added on `ping`."""
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


def open_rates(closed_rps: Mapping[str, Mapping[str, float]], profile: Profile) -> dict[str, float]:
    """The arrival rate of each scenario: the profile's share of its slowest contestant's closed throughput.

    closed_rps: scenario -> contestant -> requests/s. A contestant that answered nothing sets no rate.
    """
    working = {name: [rps for rps in by.values() if rps > 0] for name, by in closed_rps.items()}
    return {name: profile.open_load * min(rates) for name, rates in working.items() if rates}


def _answering(
    scenario: Scenario, contestants: Sequence[Contestant], twins: Sequence[Contestant]
) -> tuple[str, ...]:
    """The names of those that answer the scenario, then their twins if it is `ping`."""
    candidates = (*contestants, *twins) if scenario.name == TWIN_SCENARIO else contestants
    return tuple(one.name for one in candidates if one.answers(scenario.name))


def _weighted(blocks: int, scenario: Scenario, weights: Mapping[str, float]) -> int:
    weight = weights.get(scenario.name, 1.0)
    return max(1, round(blocks * weight)) if weight > 0 else 0


Item = TypeVar("Item")


def _shuffled(items: Sequence[Item], rng: Generator) -> list[Item]:
    return [items[place] for place in rng.permutation(len(items))]


def _block_seed(seed: int, round_index: int, block: _Block) -> int:
    """A seed below 2**32 for a block: independent of what else is run, equal for all its contestants."""
    name = zlib.crc32(f"{block.scenario.name}/{block.mode}".encode())
    return int(np.random.SeedSequence((seed, round_index, name, block.number)).generate_state(1)[0])
