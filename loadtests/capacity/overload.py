"""What becomes of requests in a surge: how many are answered in time, and how long it takes until all are. Pure."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.samples.store import Failure

LATE_SHARE = 0.01  # the SLO is on the p99: so many may be late
TAIL_NEEDED = 100  # requests after a moment, to judge one in a hundred

REFUSED = (Failure.CONNECT, Failure.RESET, Failure.STATUS)
BROKEN = (Failure.MALFORMED, Failure.BODY)


@dataclass(frozen=True, slots=True)
class Overload:
    """The shares, in percent, of the requests that fell due while the rate was above the capacity; they add up to 100.

    in_time: answered within the SLO; late: answered, but not within it; refused: another status than wanted, or the
    connection reset or not accepted; broken: an invalid answer. recovery_ms: from the end of the overload
    to the due time of the first request from which on the SLO is met again (not more than one in a hundred is late or
    failed); None: not during the relief.
    """

    requests: int
    in_time_percent: float
    late_percent: float
    refused_percent: float
    timed_out_percent: float
    broken_percent: float
    recovery_ms: float | None


def overload_of(requests: pl.DataFrame, start_ns: int, surge_s: float, slo_ms: float) -> Overload | None:
    """What became of one surge that began at `start_ns`; None when no request fell due in its overload.

    requests: with the columns of REQUESTS.
    """
    turn_ns = start_ns + round(surge_s * 1e9)
    judged = requests.sort("due_ns").with_columns(
        answered=pl.col("failure") == Failure.NONE,
        quick=(pl.col("end_ns") - pl.col("due_ns")) < slo_ms * 1e6,
    )
    over = judged.filter(pl.col("due_ns") < turn_ns)
    if over.is_empty():
        return None
    relief = judged.filter(pl.col("due_ns") >= turn_ns)
    return Overload(
        requests=over.height,
        in_time_percent=_percent(over, pl.col("answered") & pl.col("quick")),
        late_percent=_percent(over, pl.col("answered") & ~pl.col("quick")),
        refused_percent=_percent(over, pl.col("failure").is_in(REFUSED)),
        timed_out_percent=_percent(over, pl.col("failure") == Failure.TIMEOUT),
        broken_percent=_percent(over, pl.col("failure").is_in(BROKEN)),
        recovery_ms=_recovery_ms(relief, turn_ns),
    )


def _percent(requests: pl.DataFrame, which: pl.Expr) -> float:
    return 100 * requests.filter(which).height / requests.height


def _recovery_ms(relief: pl.DataFrame, turn_ns: int) -> float | None:
    """relief: the requests due after the overload, in the order in which they fell due."""
    missed = (~(relief["answered"] & relief["quick"])).to_numpy()
    behind: NDArray[np.int64] = np.arange(len(missed), 0, -1)
    missed_behind = np.cumsum(missed[::-1])[::-1]
    met = ~missed & (missed_behind <= LATE_SHARE * behind) & (behind >= TAIL_NEEDED)
    if not met.any():
        return None
    return (int(relief["due_ns"][int(np.argmax(met))]) - turn_ns) / 1e6
