"""What a report says, and in which order: answer, verdicts, evidence, method, circumstances."""

from dataclasses import dataclass

from loadtests.analysis.summary import Summary
from loadtests.report import evidence
from loadtests.report.answer import answer
from loadtests.report.itself import twin_table
from loadtests.report.loads import load_tables
from loadtests.report.pairs import main_pair
from loadtests.report.reading import HOW_TO_READ, METHOD
from loadtests.report.tables import Table, other_pair_tables, verdict_table


@dataclass(frozen=True, slots=True)
class Document:
    """The parts of a report; `verdicts` is None for a run that compares nothing, `answer` holds its sentences."""

    title: str
    answer: tuple[str, ...]
    verdicts: Table | None
    other_pairs: tuple[Table, ...]
    figures: tuple[Table, ...]
    checks: tuple[Table, ...]
    circumstances: tuple[Table, ...]
    how_to_read: str = HOW_TO_READ
    method: str = METHOD


def document_of(summary: Summary) -> Document:
    """The document of a run. Tables without rows are left out."""
    pair = main_pair(summary)
    return Document(
        title=pair.title if pair else "A run without a comparison",
        answer=answer(summary),
        verdicts=verdict_table(summary, pair) if pair else None,
        other_pairs=other_pair_tables(summary),
        figures=(*evidence.figure_tables(summary), *load_tables(summary)),
        checks=_filled(evidence.gate_table(summary), twin_table(summary)),
        circumstances=_filled(evidence.run_table(summary), evidence.machine_table(summary)),
    )


def _filled(*tables: Table) -> tuple[Table, ...]:
    return tuple(table for table in tables if table.rows)
