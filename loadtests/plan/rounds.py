"""Rounds and their slices: what is run between one launch of the contestants and the next. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Literal

from loadtests.config.contestants import Contestant, original_name
from loadtests.config.profiles import Arrivals
from loadtests.plan.search import Search

GOLDEN_RATIO = (5**0.5 - 1) / 2

Mode = Literal["closed", "open", "curve", "surge"]


@dataclass(frozen=True, slots=True)
class Slice:
    """A short period of load on one contestant. Slices with equal (scenario, mode, block) are paired:
    one per contestant, same seed, hence the same arrivals and the same sequence of prepared requests.

    requests: how many are sent; None: as many as the duration gives. In a trial round that number is chosen when the
    scenario's turn comes. Mode `curve`: an open loop at `load`, a share of this server's own throughput.

    relief_rps: in a surge, the rate that follows `rate_rps` without a pause, for another `relief_s`.
    """

    index: int
    block: int
    scenario: str
    contestant: str
    mode: Mode
    duration_s: float
    warmup_s: float
    concurrency: int
    rate_rps: float | None
    seed: int
    arrivals: Arrivals = "poisson"
    relief_rps: float = 0.0
    relief_s: float = 0.0
    requests: int | None = None
    load: float | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What happens between one launch of the contestants and their end: slices in the order they are run.

    After them come the searches, which plan their slices as they go (see loadtests/plan/search_slices.py).

    is_trial: its slices lack requests; a scenario's warm-up gives them (see loadtests/plan/sizes.py).
    warmup_s: load on each server before the first slice of each scenario, and of each open loop of it.
    """

    index: int
    slices: tuple[Slice, ...]
    searches: tuple[Search, ...] = ()
    is_trial: bool = False
    warmup_s: float = 0.0

    @property
    def contestants(self) -> tuple[str, ...]:
        """The contestants in the order in which they are launched: that of their first slices."""
        planned = [piece.contestant for piece in self.slices]
        return tuple(dict.fromkeys([*planned, *(search.contestant for search in self.searches)]))

    @property
    def users(self) -> int:
        """The most users that any slice or search needs."""
        planned = [piece.concurrency for piece in self.slices]
        return max([*planned, *(search.users for search in self.searches)], default=1)

    @property
    def load_s(self) -> float:
        """How long the slices load the servers, draining and launching not counted."""
        return sum(piece.warmup_s + piece.duration_s + piece.relief_s for piece in self.slices)


def named(names: Iterable[str], contestants: Iterable[Contestant]) -> tuple[Contestant, ...]:
    """The contestants by these names, in this order."""
    known = {one.name: one for one in contestants}
    return tuple(known[name] for name in names)


def collector_share(seed: int, index: int, contestant: str) -> float:
    """Of the way to a server's next full garbage collection (0 to 1), where it begins.

    The first round's is drawn. Later ones follow it at steps of the golden ratio, which spread evenly however many
    there are (Knuth 1973, section 6.4), and a second launch is half the way apart from its original. So few rounds have
    about as many pauses as a long run, though each share by itself may be any.
    """
    original = original_name(contestant)
    apart = 0.0 if contestant == original else 0.5
    return (Random(f"{seed}/{original}").random() + index * GOLDEN_RATIO + apart) % 1.0
