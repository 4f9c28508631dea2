"""What a server against itself showed: a sentence for the first screen, and the table behind it."""

from loadtests.analysis.summary import AaRatio, Summary
from loadtests.report import formats, words
from loadtests.report.pairs import contestant_title, scenario_title
from loadtests.report.tables import Cell, Notes, Table, name, ratio_text

_TOLD = "cpu_us_per_request"


def itself_sentence(summary: Summary) -> str:
    """Whether servers differed from their own second launches; empty where none was launched twice and compared."""
    pooled = [one for one in summary.noise.aa if not one.scenario and one.ratio is not None]
    failed = [one for one in pooled if one.failed]
    if failed:
        found = words.enumerate_([f"{words.short_metric(one.metric)} {_of(summary, one)}" for one in failed])
        sizes = [
            f"{formats.at_most(size)} in {words.short_metric(one)}"
            for one, size in summary.noise.bias.items()
        ]
        return (
            f"This run has a systematic error: a server against its own second launch should give 1, but gave {found}."
            f" Intervals include this error: {words.enumerate_(sizes)}."
        )
    told = [one for one in pooled if one.metric == _TOLD and one.low is not None]
    if not told:
        return ""
    found = words.enumerate_([_of(summary, one) for one in told])
    return f"A server against its own second launch shows no systematic error: {words.short_metric(_TOLD)} {found}."


def _of(summary: Summary, one: AaRatio) -> str:
    return f"{ratio_text(one.ratio, one.low, one.high)} on {contestant_title(summary, one.contestant)}"


def twin_table(summary: Summary) -> Table:
    """One row per contestant and metric: the ratio over all scenarios, then in each."""
    notes = Notes()
    found = {(one.contestant, one.metric, one.scenario): one for one in summary.noise.aa}
    scenarios = [one for one in summary.run.scenarios if any(one == scenario for _, _, scenario in found)]
    rows = tuple(
        (
            name(contestant_title(summary, one.contestant)),
            Cell(words.short_metric(one.metric)),
            *(
                _ratio(found.get((one.contestant, one.metric, scenario)), notes)
                for scenario in ("", *scenarios)
            ),
        )
        for one in summary.noise.aa
        if not one.scenario
    )
    columns = ("contestant", "metric", "all scenarios", *(scenario_title(summary, one) for one in scenarios))
    about = (
        "The same server, launched twice: a ratio away from 1 is an error of the measurement. It has failed where the"
        " interval over all scenarios leaves out 1, adjusted for all rows of this table (Holm); what it found is then"
        " part of every interval of that metric. Single scenarios have plain 95 % intervals: some leave out 1 by"
        " chance."
    )
    return Table("A server against itself", columns, rows, about, notes.texts())


def _ratio(one: AaRatio | None, notes: Notes) -> Cell:
    if one is None or one.ratio is None:
        return Cell(formats.MISSING, "missing", marks=notes.mark(one.note) if one else ())
    text = ratio_text(one.ratio, one.low, one.high)
    return Cell(text, "number", "failed" if one.failed else "", marks=notes.mark(one.note))
