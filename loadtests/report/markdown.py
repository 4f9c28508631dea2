"""The report as Markdown: for a pull request, a wiki or a pager."""

import re
from collections.abc import Iterable, Mapping

from loadtests.report.document import Document
from loadtests.report.tables import Cell, Table


def to_markdown(document: Document, charts: Mapping[str, str]) -> str:
    """The whole report; charts: file name in `charts/` -> what the picture shows."""
    verdicts = [table_to_markdown(document.verdicts)] if document.verdicts else []
    parts = [
        f"# {_escaped(document.title)}",
        *map(_escaped, document.answer),
        *(["## Verdicts", document.how_to_read] if verdicts else []),
        *verdicts,
        *map(table_to_markdown, document.other_pairs),
        "## Evidence",
        *(f"![{shows}](charts/{file})" for file, shows in charts.items()),
        *map(table_to_markdown, (*document.figures, *document.checks)),
        "## How it was measured",
        document.method,
        *map(table_to_markdown, document.circumstances),
    ]
    return "\n\n".join(parts) + "\n"


def table_to_markdown(table: Table) -> str:
    """A heading, a pipe table, and the notes as a numbered list."""
    lines = [
        _line(table.columns),
        _line("---" for _ in table.columns),
        *(_line(map(_text, row)) for row in table.rows),
    ]
    notes = [f"{place}. {_escaped(note)}" for place, note in enumerate(table.notes, 1)]
    blocks = [f"### {_escaped(table.title)}", _escaped(table.about), "\n".join(lines), "\n".join(notes)]
    return "\n\n".join(block for block in blocks if block)


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _text(cell: Cell) -> str:
    text = _escaped(cell.text)
    if cell.kind == "name":
        text = f"**{text}**"
    if cell.struck:
        text = f"~~{text}~~"
    marks = "".join(f" [{mark}]" for mark in cell.marks)
    word = f"**{_escaped(cell.word)}**" if cell.word else ""
    return "<br>".join(part for part in (word, text + marks, _escaped(cell.remark)) if part)


def _escaped(text: str) -> str:
    """What Markdown would read as markup, taken literally."""
    return re.sub(r"([\\|*_~<`\[])", r"\\\1", text)
