"""The tables of the study of waiting: a row per number of users, a column per server. Pure."""

from collections.abc import Callable, Sequence

from loadtests.report import formats
from loadtests.report.tables import Cell, Notes, Table, name
from loadtests.studies.waiting_points import Point

THROUGHPUT = (
    "Requests per second, of as many as waiting alone would allow: users / 50 ms, or slots / 50 ms where a server has"
    " fewer slots (threads) than there are users. What is missing to that is CPU time."
)
TIMES = (
    "p50 / p99 of the response time in ms; at least 50 ms, or users / slots x 50 ms where there are fewer slots. The"
    " p99 only where five responses lie beyond it."
)
COSTS = "The server's CPU time per request in µs; one CPU carries 1,000,000 / that at most."


def tables(points: Sequence[Point], limits: str) -> tuple[Table, ...]:
    """Throughput, response times and CPU time; limits: what connections were allowed."""
    return (
        _table("Throughput against users", points, _throughput, f"{THROUGHPUT} Allowed: {limits}"),
        _table("Response time against users", points, _times, TIMES),
        _table("CPU time against users", points, lambda one: formats.number(one.cpu_us), COSTS),
    )


def _table(title: str, points: Sequence[Point], text: Callable[[Point], str], about: str) -> Table:
    notes, by_place = Notes(), {(one.users, one.server): one for one in points}
    users, servers = dict.fromkeys(one.users for one in points), dict.fromkeys(one.server for one in points)
    rows = tuple(
        (name(f"{count:,}"), *(_cell(by_place[count, server], text, notes) for server in servers))
        for count in users
    )
    return Table(title, ("users", *servers), rows, about, notes.texts())


def _cell(one: Point, text: Callable[[Point], str], notes: Notes) -> Cell:
    return Cell(text(one), "missing" if one.rps is None else "number", marks=notes.mark(one.note))


def _throughput(one: Point) -> str:
    return f"{formats.number(one.rps)} of {formats.number(one.most_rps)}"


def _times(one: Point) -> str:
    return f"{formats.number(one.p50_ms)} / {formats.number(one.p99_ms)}"
