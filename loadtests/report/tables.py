"""The one table model, and the tables of verdicts. Built from a Summary by pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.analysis.summary import Comparison, Summary
from loadtests.report import formats, words
from loadtests.report.pairs import Pair, advantage, pairs, scenario_title, verdict_word

Kind = Literal[
    "plain", "name", "number", "a_better", "b_better", "equivalent", "undecided", "invalid", "missing", "good"
]


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


def name(text: str) -> Cell:
    """A row's first cell."""
    return Cell(text, "name")


def verdict_table(summary: Summary, pair: Pair, metrics: Sequence[str] | None = None) -> Table:
    """One row per scenario, one column per metric: verdict in words, ratio with its interval, which way is better."""
    shown, notes = (pair.metrics if metrics is None else metrics), Notes()
    rows = tuple(
        (
            name(scenario_title(summary, scenario)),
            *(verdict_cell(pair, pair.find(scenario, metric), notes) for metric in shown),
        )
        for scenario in pair.scenarios
    )
    unmeasured = words.enumerate_([words.metric_title(metric) for metric in pair.unmeasured_metrics])
    return Table(
        title=pair.title,
        columns=("scenario", *(words.short_metric(metric) for metric in shown)),
        rows=rows,
        about=_about(pair) + (f" Not measured in any scenario: {unmeasured}." if unmeasured else ""),
        notes=notes.texts(),
    )


def verdict_cell(pair: Pair, one: Comparison | None, notes: Notes) -> Cell:
    """A verdict with its ratio; a reason, where there is one, goes to the notes."""
    if one is None:
        return Cell(formats.MISSING, "missing")
    marks = notes.mark(one.note)
    word = verdict_word(pair, one)
    if one.ratio is None:
        return Cell(formats.MISSING, "invalid" if word == "invalid" else "missing", word, marks=marks)
    kind: Kind = "undecided" if one.verdict == "inconclusive" else one.verdict
    return Cell(ratio_text(one.ratio, one.low, one.high), kind, word, advantage(pair, one), marks)


def ratio_text(ratio: float | None, low: float | None, high: float | None) -> str:
    """`1.83 (1.71 to 1.96)`, without brackets where there is no interval."""
    text = formats.ratio(ratio)
    return text if low is None or high is None else f"{text} ({formats.interval(low, high)})"


def other_pair_tables(summary: Summary) -> tuple[Table, ...]:
    """Every pair but the one that opens the report."""
    return tuple(verdict_table(summary, pair) for pair in pairs(summary)[1:])


def _about(pair: Pair) -> str:
    a, b = pair.long
    return f"Ratios are {a} / {b}, with their interval."


def facts_table(title: str, facts: Mapping[str, str]) -> Table:
    """One fact per row."""
    return Table(title, ("fact", "value"), tuple((name(what), Cell(text)) for what, text in facts.items()))
