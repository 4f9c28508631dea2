"""The search as a procedure that asks for one step of load after the other. Pure.

`procedure` is a coroutine: it yields the step to drive next, is sent what that step showed, and returns the result. The
load process drives it live; a report replays it over the stored samples and gets the same result.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from loadtests.plan import search_second_try, search_two_of_three
from loadtests.plan.search import OVERLOAD, Rule, Saturation, Search, SearchResult, Step, surge_s
from loadtests.plan.search_result import Bracket, capacity_of, result_of, too_slow
from loadtests.samples.outcome import Outcome

BRACKETED: Mapping[Rule, Callable[[Search, Saturation], Generator[Step, Outcome, Bracket]]] = {
    "second try": search_second_try.bracketed,
    "two of three": search_two_of_three.bracketed,
}


def procedure(search: Search) -> Generator[Step, Outcome, SearchResult]:
    """Closed loop, ladder, bisection, surge."""
    saturation = yield from _saturated(search)
    if not saturation.throughput_rps:
        return SearchResult(None, None, "nothing was answered in the closed loop", "unanswered")
    if not search.can_judge(saturation.throughput_rps):
        return too_slow(search, saturation.throughput_rps)
    bracket = yield from BRACKETED[search.rule](search, saturation)
    capacity_rps = capacity_of(search, bracket)
    if capacity_rps is not None:
        yield Step("surge", OVERLOAD * capacity_rps, surge_s(search))
    return result_of(search, bracket)


def _saturated(search: Search) -> Generator[Step, Outcome, Saturation]:
    """The closed loop; once more, for longer, where it saw too few pauses to say how far apart they are."""
    seen = [(yield Step("closed", None, search.step_s))]
    if seen[0].answered and seen[0].pauses is not None and seen[0].pauses < search.pauses:
        seen.append((yield Step("closed", None, search.pause_limit_s)))
    answered = sum(one.answered for one in seen)
    busy_s = sum(one.answered / one.throughput_rps for one in seen if one.throughput_rps)
    pauses = sum(one.pauses or 0 for one in seen)
    return Saturation(answered / busy_s if busy_s else 0.0, answered / pauses if pauses else None)


@dataclass(slots=True)
class OngoingSearch:
    """A search in progress: the step it waits for, the steps done, and finally its result."""

    search: Search
    step: Step | None = None
    trail: list[tuple[Step, Outcome]] = field(default_factory=list)
    result: SearchResult | None = None
    _moves: Generator[Step, Outcome, SearchResult] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._moves = procedure(self.search)
        self.step = next(self._moves)

    def learn(self, outcome: Outcome) -> None:
        """Take the outcome of the awaited step. ValueError: none is awaited."""
        if self.step is None:
            raise ValueError("the search is over")
        self.trail.append((self.step, outcome))
        try:
            self.step = self._moves.send(outcome)
        except StopIteration as end:
            self.step, self.result = None, end.value
