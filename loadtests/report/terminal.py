"""The report on a terminal: the answer and the verdicts; the files of the run say the rest."""

from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from loadtests.analysis.summary import Summary
from loadtests.report.document import document_of
from loadtests.report.evidence import gate_sentence
from loadtests.report.pairs import main_pair
from loadtests.report.tables import Cell, Kind, Table, verdict_table

STYLES: Mapping[Kind, str] = {
    "plain": "",
    "name": "bold",
    "number": "",
    "a_better": "dark_orange",
    "a_slightly_better": "dark_orange",
    "b_slightly_better": "cyan",
    "b_better": "cyan",
    "equivalent": "green",
    "about_equal": "green",
    "undecided": "dim",
    "invalid": "red",
    "missing": "dim",
    "good": "green",
}
TERMINAL_METRICS = ("throughput_rps", "cpu_us_per_request", "response_p50_ms", "response_p99_ms")
"""As many columns as 100 characters hold."""


def print_summary(summary: Summary, console: Console) -> None:
    """The answer, the verdicts on the main pair, and how many gates passed."""
    console.print()
    for sentence in document_of(summary).answer:
        console.print(Padding(Text(sentence), (0, 0, 1, 0)))
    if pair := main_pair(summary):
        metrics = [metric for metric in TERMINAL_METRICS if metric in pair.metrics]
        console.print(to_terminal(verdict_table(summary, pair, metrics)))
    if gates := gate_sentence(summary):
        console.print(Text(gates))


def to_terminal(table: Table) -> RichTable:
    """The table as rich draws it, with its notes below."""
    notes = "\n".join(f"[{place}] {note}" for place, note in enumerate(table.notes, 1))
    drawn = RichTable(
        title=Text(table.title, style="bold"),
        caption=Text("\n".join(part for part in (table.about, notes) if part), style="dim"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    for column in table.columns:
        drawn.add_column(Text(column), overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(_text, row))
    return drawn


def _text(cell: Cell) -> Text:
    """Word, text and marks; the remark says in more words what the word does, and is left to wider pages."""
    style = STYLES[cell.kind]
    text = Text(cell.word, style=f"bold {style}")
    if cell.word and cell.text:
        text.append("\n")
    text.append(cell.text, style=f"{style} strike" if cell.struck else style if not cell.word else "")
    text.append("".join(f" [{mark}]" for mark in cell.marks), style="dim")
    return text
