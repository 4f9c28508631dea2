"""The report: tables, charts, and files that need nothing else to be read."""

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from loadtests.analysis.digest import Digest
from loadtests.analysis.summary import GateResult, Summary
from loadtests.analysis.verdict import summarise
from loadtests.errors import SuiteError
from loadtests.report import formats
from loadtests.report.answer import answer
from loadtests.report.charts import draw
from loadtests.report.compare import compare_tables, load_summary
from loadtests.report.document import document_of
from loadtests.report.files import write_report
from loadtests.report.markdown import table_to_markdown
from loadtests.report.tables import Cell as Place
from loadtests.report.tables import Table
from loadtests.report.terminal import print_summary
from tests.support.frames import Piece, digested, samples_of
from tests.support.pages import Page
from tests.support.summaries import (
    RUN,
    SCENARIOS,
    A,
    B,
    compared,
    summary_of,
)


@pytest.fixture(scope="module")
def measured() -> tuple[Summary, Digest]:
    """A run in which b answers twice as fast, and the server of a counts wrongly when it reads."""
    pieces = [
        Piece(name, mode, scenario, round_, block, users=4, requests=600, cpu_us=100 * slow,
              service_ms=slow * (1 + 0.01 * round_), uncounted=int(name == A and scenario == "read"))
        for round_ in range(4)
        for scenario in SCENARIOS
        for mode, block in (("closed", 0), ("closed", 1), ("open", 0))
        for name, slow in ((A, 2.0), (B, 1.0))
    ]  # fmt: skip
    known = digested(samples_of(*pieces, pss_mib={A: 80.0, B: 100.0}))
    return summarise(known, RUN), known


@pytest.fixture(scope="module")
def folder(measured: tuple[Summary, Digest], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of that run."""
    written = tmp_path_factory.mktemp("run")
    write_report(*measured, written)
    return written


def test_a_report_is_a_summary_two_documents_and_four_charts(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "summary.json",
        "report.md",
        "report.html",
        "charts",
        "histograms",
    }
    assert {path.name for path in (folder / "charts").iterdir()} == {
        "headline.svg", "cpu.svg", "latency.svg", "rounds.svg",
    }  # fmt: skip


def test_the_written_summary_is_the_one_that_was_given(
    folder: Path, measured: tuple[Summary, Digest]
) -> None:
    assert load_summary(folder) == measured[0]


def test_the_page_needs_nothing_from_elsewhere(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    tags = Page(text).tags

    addresses = set(re.findall(r"https?://[^\"'\s<)]*", text))
    loaded = [value for _, attributes in tags for key in ("src", "href") if (value := attributes.get(key))]
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert all(value.startswith("#") for value in loaded)
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "img", "object"}
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_the_page_is_balanced_and_no_two_elements_share_an_id(folder: Path) -> None:
    page = Page((folder / "report.html").read_text())
    ids = [name for _, attributes in page.tags if (name := attributes.get("id"))]

    assert page.unbalanced == []
    assert page.open == []
    assert len(ids) == len(set(ids))


def test_references_within_the_pictures_lead_somewhere(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    ids = {name for _, attributes in Page(text).tags if (name := attributes.get("id"))}

    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= ids


def test_the_page_follows_dark_mode_and_fits_a_phone_and_a_printer(folder: Path) -> None:
    text = (folder / "report.html").read_text()

    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert "@media print" in text
    assert "currentColor" in text


def test_text_from_outside_is_escaped(folder: Path) -> None:
    assert "a &lt;fast&gt; one" in (folder / "report.html").read_text()
    assert "a \\<fast> one" in (folder / "report.md").read_text()


@pytest.mark.parametrize("name", ["report.md", "report.html"])
def test_answer_verdicts_evidence_and_method_stand_in_this_order(
    folder: Path, measured: tuple[Summary, Digest], name: str
) -> None:
    text = (folder / name).read_text()

    places = [
        text.index(part) for part in ("less CPU per request", "Verdicts", "Evidence", "How it was measured")
    ]

    assert places == sorted(places)
    assert answer(measured[0])[1] in text.replace("&#39;", "'").replace("\\", "")


def test_an_invalid_number_is_struck_through_with_its_reason(folder: Path) -> None:
    assert re.search(r"<s>2\.0", (folder / "report.html").read_text())
    assert "~~2.0" in (folder / "report.md").read_text()
    for name in ("report.html", "report.md"):
        assert "client and server disagree by" in (folder / name).read_text().replace("\\", "")


def test_every_chart_is_a_picture_with_its_labels(folder: Path) -> None:
    for path in (folder / "charts").iterdir():
        root = ElementTree.fromstring(path.read_text())
        words = " ".join(root.itertext())

        assert root.tag.endswith("svg")
        assert "Ping" in words


def test_a_run_that_compares_nothing_still_has_a_report(tmp_path: Path) -> None:
    pieces = (Piece(A, mode, "ping", round_) for round_ in range(3) for mode in ("closed", "open"))
    known = digested(samples_of(*pieces))
    summary = summarise(known, replace(RUN, claims=()))

    write_report(summary, known, tmp_path)

    assert "nothing to compare it with" in (tmp_path / "report.html").read_text()
    assert set(draw(summary, known)) <= {"cpu.svg", "latency.svg"}


def test_a_run_without_a_finished_round_still_has_a_report(tmp_path: Path) -> None:
    known = digested(samples_of())
    summary = summarise(known, RUN)

    write_report(summary, known, tmp_path)

    assert "Nothing was measured" in (tmp_path / "report.md").read_text()


def test_the_terminal_shows_the_answer_and_the_verdicts(measured: tuple[Summary, Digest]) -> None:
    shown = StringIO()

    print_summary(measured[0], Console(width=120, file=shown))

    text = shown.getvalue()
    assert "FastAPI on uvicorn needs less CPU per request" in text
    assert "FastAPI better" in text
    assert "Ping" in text


def test_all_rows_of_all_tables_are_as_long_as_their_headings(measured: tuple[Summary, Digest]) -> None:
    document = document_of(measured[0])
    tables = [
        document.verdicts,
        *document.other_pairs,
        *document.figures,
        *document.checks,
        *document.circumstances,
    ]

    assert all(len(row) == len(table.columns) for table in tables if table for row in table.rows)


def test_a_pipe_or_a_star_in_a_text_does_not_break_a_markdown_table() -> None:
    text = table_to_markdown(Table("t", ("a", "b"), ((Place("x|y"), Place("*z*")),)))

    assert "| x\\|y | \\*z\\* |" in text


def test_a_failed_gate_is_told_with_where_and_why() -> None:
    gates = (
        GateResult("ping", A, "steal", 3.0, 30.0, ok=True),
        GateResult("read", A, "steal", 44.0, 30.0, ok=False, note="other machines took 44 %"),
        GateResult("read", B, "steal", None, 30.0, ok=None, note="not measured: no meter"),
    )
    table = document_of(replace(summary_of(), gates=gates)).checks[0]

    texts = [cell.text for cell in table.rows[0]]
    assert texts[0] == "steal"
    assert texts[2:5] == ["1", "1", "1"]
    assert texts[5] == f"{A} in Read one item: other machines took 44 %; not checked: no meter"


def test_what_was_not_checked_never_counts_as_passed() -> None:
    gates = (
        GateResult("ping", A, "bytes", 0.0, 1.0, ok=True),
        GateResult("ping", A, "send_lag", 3.0, 1.0, ok=None, note="too few answers"),
        GateResult("read", A, "send_lag", None, 1.0, ok=None, note="not measured: no meter"),
    )
    summary, shown = replace(summary_of(), gates=gates), StringIO()

    print_summary(summary, Console(width=120, file=shown))

    assert "Gates: 1 passed, 2 were not checked (send lag)." in shown.getvalue()
    lag = document_of(summary).checks[0].rows[1]
    assert [cell.text for cell in lag[2:]] == [
        "0",
        "2",
        "0",
        "not checked: too few answers; not checked: no meter",
    ]
    assert lag[3].word == "not checked"


def test_two_runs_that_agree_have_not_changed(measured: tuple[Summary, Digest]) -> None:
    (table,) = compare_tables(measured[0], measured[0])

    assert "0 of 11 comparisons changed" in table.about


def test_a_ratio_beyond_both_intervals_has_changed() -> None:
    before, after = summary_of(compared("b_better", 2.0)), summary_of(compared("b_better", 3.0))

    (table,) = compare_tables(before, after)

    assert table.rows[0][-1].word == "changed"
    assert "1 of 1 comparison changed" in table.about


def test_an_invalid_ratio_proves_no_change() -> None:
    before, after = summary_of(compared("b_better", 2.0)), summary_of(compared("invalid", 3.0))

    assert "0 of 1 comparison changed" in compare_tables(before, after)[0].about


def test_where_neither_run_has_a_ratio_nothing_is_called_the_same() -> None:
    before = summary_of(compared("inconclusive", None))

    assert compare_tables(before, before)[0].rows[0][-1].text == "nothing to compare"


def test_a_comparison_that_one_run_lacks_is_shown_and_has_not_changed() -> None:
    before = summary_of(compared("b_better"))
    after = summary_of(compared("b_better"), compared("b_better", metric="throughput_rps"))

    (table,) = compare_tables(before, after)

    assert len(table.rows) == 2
    assert table.rows[1][2].text == formats.MISSING


def test_a_folder_without_a_summary_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"holds no summary\.json; write it with `sidebyside report"):
        load_summary(tmp_path)
