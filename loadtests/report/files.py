"""The files of a report: pages, charts and `summary.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from loadtests.analysis.digest import Digest
from loadtests.analysis.summary import Summary
from loadtests.report.charts import draw
from loadtests.report.document import Document, document_of
from loadtests.report.histograms import logs_of
from loadtests.report.html import to_html
from loadtests.report.markdown import to_markdown
from loadtests.report.tables import Table


def write_report(summary: Summary, digest: Digest, folder: Path, checks: Sequence[Table] = ()) -> None:
    """Write `summary.json`, `report.md`, `report.html`, `charts/*.svg` and `histograms/*.hlog` into a run's folder.

    checks: tables that go behind those of the run's own checks.
    """
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    (folder / "histograms").mkdir(exist_ok=True)
    for name, text in logs_of(digest, summary.run).items():
        (folder / "histograms" / name).write_text(text, encoding="utf-8")
    document = document_of(summary)
    write_pages(replace(document, checks=(*document.checks, *checks)), draw(summary, digest), folder)


def write_pages(document: Document, charts: Mapping[str, tuple[str, str]], folder: Path) -> None:
    """Write `report.md`, `report.html` and `charts/*.svg`; charts: file name -> (what it shows, its SVG)."""
    (folder / "charts").mkdir(parents=True, exist_ok=True)
    for name, (_, svg) in charts.items():
        (folder / "charts" / name).write_text(svg, encoding="utf-8")
    captions = {name: caption for name, (caption, _) in charts.items()}
    (folder / "report.md").write_text(to_markdown(document, captions), encoding="utf-8")
    (folder / "report.html").write_text(to_html(document, charts), encoding="utf-8")
