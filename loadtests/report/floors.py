"""How much of a gap is the server's and how much the framework's, from the servers without a framework."""

from loadtests.analysis.summary import Cell, Summary
from loadtests.report import formats
from loadtests.report.pairs import Pair, floor_of

SCENARIO, METRIC = "ping", "cpu_us_per_request"
SHARES = "how much of the gap is due to the server and how much to the framework"


def floor_sentence(summary: Summary, pair: Pair) -> str:
    """How much of the gap in CPU time is due to server and gateway and how much to the framework, on ping.

    CPU times add up: what a server costs with a framework, less what it costs with none, is the framework's.
    """
    floors = [floor_of(summary, name) for name in (pair.a, pair.b)]
    if not all(floors):
        return f"To see {SHARES}, measure the servers without a framework (raw-...) too."
    costs = [_cost_us(summary, name) for name in (pair.a, pair.b, *floors)]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return f"It is not known {SHARES}: a figure for it is missing or invalid."
    return _shares(pair, *known)


def _shares(pair: Pair, a_us: float, b_us: float, a_floor_us: float, b_floor_us: float) -> str:
    costs = [formats.number(cost) for cost in (a_us, b_us, a_floor_us, b_floor_us)]
    text = (
        f"Where the app does nothing, a request costs {costs[0]} µs of CPU on {pair.long[0]} and {costs[1]} µs on"
        f" {pair.long[1]}, of which the servers without a framework take {costs[2]} µs and {costs[3]} µs"
    )
    gap_us, server_us = a_us - b_us, a_floor_us - b_floor_us
    if gap_us == 0 or not 0 <= server_us / gap_us <= 1:
        return f"{text}: server and framework pull in opposite directions."
    server = round(100 * server_us / gap_us)
    return f"{text}: {server} % of the gap is server and gateway, {100 - server} % is framework."


def _cost_us(summary: Summary, contestant: str | None) -> float | None:
    """CPU time per request on ping; None where it was not measured or must not be trusted."""
    cell = next(filter(lambda one: _is_cost_of(one, contestant), summary.cells), None)
    return cell.value if cell is not None and cell.valid else None


def _is_cost_of(cell: Cell, contestant: str | None) -> bool:
    return (cell.scenario, cell.contestant, cell.metric) == (SCENARIO, contestant, METRIC)
