"""The files of a report: pages, charts and `summary.json`."""

from collections.abc import Mapping
from pathlib import Path

from loadtests.digest import Digest
from loadtests.report.charts import draw
from loadtests.report.html import to_html
from loadtests.report.markdown import to_markdown
from loadtests.report.story import Story, tell
from loadtests.summary import Summary


def write_report(summary: Summary, digest: Digest, folder: Path) -> None:
    """Write `summary.json`, `report.md`, `report.html` and `charts/*.svg` into a run's folder."""
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    write_pages(tell(summary), draw(summary, digest), folder)


def write_pages(story: Story, charts: Mapping[str, tuple[str, str]], folder: Path) -> None:
    """Write `report.md`, `report.html` and `charts/*.svg`; charts: file name -> (what it shows, its SVG)."""
    (folder / "charts").mkdir(parents=True, exist_ok=True)
    for name, (_, svg) in charts.items():
        (folder / "charts" / name).write_text(svg, encoding="utf-8")
    shows = {name: caption for name, (caption, _) in charts.items()}
    (folder / "report.md").write_text(to_markdown(story, shows), encoding="utf-8")
    (folder / "report.html").write_text(to_html(story, charts), encoding="utf-8")
