"""The rule of two of three: a rate passes when two tries out of three do, so that even odds stay even. Pure.

The ladder's rungs are tried once each. Then whatever the bracket rests on is decided by two of three: its two ends, and
rungs that contradict each other. So is every step of the bisection.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

from loadtests.plan.search import LOWER, LOWERS, RAISE, RAISES, Saturation, Search, Step
from loadtests.plan.search_result import Bracket
from loadtests.samples.outcome import Outcome

NEEDED = 2  # tries that agree
Moves = Generator[Step, Outcome, None]


@dataclass(slots=True)
class Tries:
    """The tries of one rate, in turn."""

    search: Search
    step: Step
    seen: list[Outcome] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Whether more tries met the SLO than did not."""
        return 2 * self._met > len(self.seen)

    @property
    def decided(self) -> bool:
        """Whether two tries agree."""
        return NEEDED in (self._met, len(self.seen) - self._met)

    @property
    def rate_rps(self) -> float:
        """The rate that was tried."""
        assert self.step.rate_rps is not None  # noqa: S101 - the closed step alone has none, and is not judged
        return self.step.rate_rps

    @property
    def failure(self) -> Outcome | None:
        """Of the tries that missed the SLO, the one with the latest generator: the verdict needs all of them."""
        missed = [one for one in self.seen if not self.search.is_met(one)]
        return max(missed, key=lambda one: one.lag_ms or 0.0, default=None)

    def once(self) -> Moves:
        """One more try."""
        self.seen.append((yield replace(self.step, again=bool(self.seen))))

    def decide(self) -> Moves:
        """As many more tries as two that agree need."""
        while not self.decided:
            yield from self.once()

    @property
    def _met(self) -> int:
        return sum(map(self.search.is_met, self.seen))


def bracketed(search: Search, saturation: Saturation) -> Generator[Step, Outcome, Bracket]:
    """The ladder, then the bisection between the rungs where passing turns into failing."""
    rungs = yield from _ladder(search, saturation)
    passing, failing = _ends(rungs)
    for _ in range(search.bisections):
        if passing is None or failing is None or failing.rate_rps / passing.rate_rps <= search.resolution:
            break
        rate_rps = sqrt(passing.rate_rps * failing.rate_rps)
        duration_s = search.duration_s(rate_rps, saturation.between_pauses)
        tries = Tries(search, Step("bisection", rate_rps, duration_s))
        yield from tries.decide()
        passing, failing = (tries, failing) if tries.passes else (passing, tries)
    return Bracket(
        passing.rate_rps if passing else None,
        failing.rate_rps if failing else None,
        failing.failure if failing else None,
    )


def _ladder(search: Search, saturation: Saturation) -> Generator[Step, Outcome, list[Tries]]:
    """The rungs by rising rate, extended upwards if all pass, downwards if all fail; all that matter are decided."""
    top_rps = saturation.throughput_rps

    def rung(fraction: float) -> Tries:
        rate_rps = fraction * top_rps
        duration_s = search.duration_s(rate_rps, saturation.between_pauses)
        return Tries(search, Step("rung", rate_rps, duration_s, fraction))

    fractions = search.fractions(top_rps)
    above = [rung(fractions[-1] * RAISE**number) for number in range(1, RAISES + 1)]
    below = [rung(fractions[0] * LOWER**number) for number in range(1, LOWERS + 1)]
    below = [one for one in below if search.can_judge(one.rate_rps)]
    rungs = [rung(fraction) for fraction in fractions]
    for one in rungs:
        yield from one.once()
    while True:
        low, high = turn([one.passes for one in rungs])
        open_ = [one for one in rungs[max(low, 0) : high + 1] if not one.decided]
        for one in open_:
            yield from one.decide()
        if not open_ and high == len(rungs) and above:
            rungs.append(above.pop(0))
            yield from rungs[-1].once()
        elif not open_ and low < 0 and below:
            rungs.insert(0, below.pop(0))
            yield from rungs[0].once()
        elif not open_:
            return rungs


def _ends(rungs: Sequence[Tries]) -> tuple[Tries | None, Tries | None]:
    low, high = turn([one.passes for one in rungs])
    return (rungs[low] if low >= 0 else None), (rungs[high] if high < len(rungs) else None)


def turn(passed: Sequence[bool]) -> tuple[int, int]:
    """Where passing turns into failing: the places of the last rung that passes and of the first that fails.

    It is the cut that contradicts the fewest rungs, passes above it and failures below; of several as good, all are
    left in between. -1: none passes; len(passed): none fails.
    """
    places = range(len(passed) + 1)
    agreeing = [sum(passed[:cut]) + sum(not one for one in passed[cut:]) for cut in places]
    best = [cut for cut in places if agreeing[cut] == max(agreeing)]
    inner = [cut for cut in best if 0 < cut < len(passed)] or best
    return inner[0] - 1, inner[-1]
