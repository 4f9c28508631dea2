"""Two runs side by side: what each found of a pair, and where they disagree."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtests.analysis.summary import Comparison, Summary
from loadtests.config.metrics import PER_PROCESS
from loadtests.errors import SuiteError
from loadtests.report import formats, words
from loadtests.report.tables import Cell, Kind, Table, name, ratio_text

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One comparison as two runs found it; None where a run lacks it."""

    before: Comparison | None
    after: Comparison | None

    @property
    def disjoint(self) -> bool:
        """Whether two trusted intervals have no ratio in common: more than noise explains."""
        trusted = [one for one in (self.before, self.after) if one is not None and one.verdict != "invalid"]
        spans = sorted((one.low, one.high) for one in trusted if one.low is not None and one.high is not None)
        return len(spans) == 2 and spans[0][1] < spans[1][0]


def load_summary(folder: Path) -> Summary:
    """The summary of the run in that folder; SuiteError if there is none that can be read."""
    try:
        text = (folder / "summary.json").read_text(encoding="utf-8")
    except OSError as error:
        message = f"{folder}: holds no summary.json; write it with `sidebyside report {folder}`"
        raise SuiteError(message) from error
    return Summary.from_json(text)


def compare_tables(before: Summary, after: Summary) -> list[Table]:
    """One table per pair of contestants that either run compared.

    Only ratios within a run are compared: requests per second mean nothing on another machine.
    """
    changes = _changes(before, after)
    titles = {**before.run.scenarios, **after.run.scenarios}
    columns = ("scenario", "metric", f"before: {before.run.id}", f"after: {after.run.id}", "change")
    pairs = dict.fromkeys(key[:2] for key in changes)
    tables = [_table(a, b, columns, changes, titles) for a, b in pairs]
    return tables or [Table("Nothing to compare", columns, (), "Neither run compares two contestants.")]


def _changes(before: Summary, after: Summary) -> dict[Key, Change]:
    old, new = _by_key(before), _by_key(after)
    return {key: Change(old.get(key), new.get(key)) for key in {**old, **new}}


def _by_key(summary: Summary) -> dict[Key, Comparison]:
    """By pair, scenario and metric; what is measured once per process stands under no scenario."""
    return {
        (one.a, one.b, "" if one.metric in PER_PROCESS else one.scenario, one.metric): one
        for one in summary.comparisons
    }


def _table(
    a: str, b: str, columns: tuple[str, ...], changes: Mapping[Key, Change], titles: Mapping[str, str]
) -> Table:
    own = {key: change for key, change in changes.items() if key[:2] == (a, b)}
    rows = tuple(
        (
            name(titles.get(scenario, scenario) or "all scenarios"),
            Cell(words.short_metric(metric)),
            _side(change.before),
            _side(change.after),
            _verdict(change),
        )
        for (_, _, scenario, metric), change in own.items()
    )
    disjoint = sum(change.disjoint for change in own.values())
    about = (
        f"{disjoint} of {words.count(len(own), 'comparison')} changed by more than both intervals explain."
    )
    return Table(f"{a} / {b}", columns, rows, about)


def _verdict(change: Change) -> Cell:
    if change.disjoint:
        return Cell("", word="changed")
    both = all(one is not None and one.ratio is not None for one in (change.before, change.after))
    return Cell("same within noise" if both else "nothing to compare", "missing")


def _side(one: Comparison | None) -> Cell:
    if one is None or one.ratio is None:
        return Cell(formats.MISSING, "missing")
    kind: Kind = "invalid" if one.verdict == "invalid" else "number"
    return Cell(ratio_text(one.ratio, one.low, one.high), kind)
