"""The one table model, and the tables of verdicts. Built from a Summary by pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from loadtests.analysis.summary import Comparison, Summary
from loadtests.config.metrics import PER_PROCESS
from loadtests.report import formats, words
from loadtests.report.pairs import Pair, advantage, pairs, scenario_title, verdict_word

Kind = Literal[
    "plain",
    "name",
    "number",
    "a_better",
    "a_slightly_better",
    "b_slightly_better",
    "b_better",
    "equivalent",
    "about_equal",
    "undecided",
    "invalid",
    "missing",
    "good",
]
WAITING = "its requests wait, so its figures follow from users and threads: it is not counted in the answer"
_ADJUSTED = "its own interval leaves out 1; adjusted for all verdicts that hold together, it does not"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place: a verdict `word`, the `text` (struck through if kind is `invalid`), a `remark`.

    Any of the three may be empty. `marks` are 1-based places in the notes of the table.
    """

    text: str
    kind: Kind = "plain"
    word: str = ""
    remark: str = ""
    marks: tuple[int, ...] = ()

    @property
    def struck(self) -> bool:
        """Whether the text is a number that must not be used."""
        return self.kind == "invalid" and self.text != formats.MISSING


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, all as long as `columns`; `about` says how to read it, `notes` explain the marks."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    about: str = ""
    notes: tuple[str, ...] = ()


class Notes:
    """Collects the notes of a table; equal texts get one and the same mark."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def mark(self, *texts: str) -> tuple[int, ...]:
        """The marks of these texts, empty ones left out."""
        return tuple(self._places.setdefault(text, len(self._places) + 1) for text in texts if text)

    def texts(self) -> tuple[str, ...]:
        """All notes in the order of their marks."""
        return tuple(self._places)


def name(text: str, marks: tuple[int, ...] = ()) -> Cell:
    """A row's first cell."""
    return Cell(text, "name", marks=marks)


def verdict_table(summary: Summary, pair: Pair, metrics: Sequence[str] | None = None) -> Table:
    """One row per scenario, one column per metric: the finding, ratio with its interval, which way is better.

    What is measured once per process is told above it.
    """
    shown = [one for one in (pair.metrics if metrics is None else metrics) if one not in PER_PROCESS]
    notes = Notes()
    rows = tuple(
        (
            name(
                scenario_title(summary, scenario),
                notes.mark(WAITING if scenario in summary.run.waiting else ""),
            ),
            *(verdict_cell(pair, pair.find(scenario, metric), notes) for metric in shown),
        )
        for scenario in pair.scenarios
    )
    return Table(
        title=pair.title,
        columns=("scenario", *(words.short_metric(metric) for metric in shown)),
        rows=rows,
        about=" ".join(part for part in _about(pair) if part),
        notes=notes.texts(),
    )


def verdict_cell(pair: Pair, one: Comparison | None, notes: Notes) -> Cell:
    """A finding with its ratio; a reason, where there is one, goes to the notes."""
    if one is None:
        return Cell(formats.MISSING, "missing")
    marks = notes.mark(one.note, _ADJUSTED if _only_plain(one) else "")
    word = verdict_word(pair, one)
    if one.ratio is None:
        return Cell(formats.MISSING, "invalid" if word == "invalid" else "missing", word, marks=marks)
    return Cell(ratio_text(one.ratio, one.low, one.high), kind_of(one), word, advantage(pair, one), marks)


def kind_of(one: Comparison) -> Kind:
    """How a comparison with a ratio is shown."""
    if one.finding in {None, "too_noisy", "not_measured"}:
        return "undecided"
    return cast("Kind", one.finding)


def _only_plain(one: Comparison) -> bool:
    """Whether the interval that is shown leaves out 1, and the adjusted one that decides does not."""
    if one.verdict != "inconclusive" or one.low is None or one.high is None:
        return False
    return one.low > 1 or one.high < 1


def ratio_text(ratio: float | None, low: float | None, high: float | None) -> str:
    """`1.83 (1.71 to 1.96)`, without brackets where there is no interval."""
    text = formats.ratio(ratio)
    return text if low is None or high is None else f"{text} ({formats.interval(low, high)})"


def other_pair_tables(summary: Summary) -> tuple[Table, ...]:
    """Every pair but the one that opens the report."""
    return tuple(verdict_table(summary, pair) for pair in pairs(summary)[1:])


def _about(pair: Pair) -> tuple[str, ...]:
    """How to read the table of a pair, and what has no column in it."""
    a, b = pair.long
    unmeasured = words.enumerate_(
        [words.metric_title(metric) for metric in pair.unmeasured_metrics if metric not in PER_PROCESS]
    )
    return (
        f"Ratios are {a} / {b}, with their plain 95 % intervals.",
        _families(pair),
        _memory(pair),
        f"Not measured in any scenario: {unmeasured}." if unmeasured else "",
    )


def _families(pair: Pair) -> str:
    """Which verdicts hold together, and which are exploratory."""
    primary = [
        one
        for one in pair.metrics
        if any(found.metric == one for found in pair.comparisons if _promised(found))
    ]
    if not primary:
        return "All verdicts are exploratory: each stands on its own interval."
    named = words.enumerate_([words.short_metric(metric) for metric in primary])
    rest = " All others are exploratory." if not all(map(_promised, pair.comparisons)) else ""
    return f"Verdicts on {named} are adjusted for each other (Holm): with 95 % confidence no winner is wrong.{rest}"


def _promised(one: Comparison) -> bool:
    return one.family == "primary"


def _memory(pair: Pair) -> str:
    """`Memory, once per server: FastAPI better, 1.12 (1.10 to 1.14).`"""
    one = pair.memory
    if one is None:
        return ""
    found = verdict_word(pair, one)
    size = f", {ratio_text(one.ratio, one.low, one.high)}" if one.ratio is not None else ""
    reason = f"; {one.note}" if one.verdict == "invalid" else ""
    return f"Memory, once per server: {found}{size}{reason}."


def facts_table(title: str, facts: Mapping[str, str]) -> Table:
    """One fact per row."""
    return Table(title, ("fact", "value"), tuple((name(what), Cell(text)) for what, text in facts.items()))
