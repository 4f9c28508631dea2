"""The table of verdicts: words, what holds together and what is exploratory, memory."""

from dataclasses import replace

import pytest

from loadtests.analysis.summary import Comparison, Finding, RunInfo, Verdict
from loadtests.report.pairs import main_pair
from loadtests.report.tables import Table, verdict_table
from tests.support.summaries import RUN, compared, summary_of


def table_of(*comparisons: Comparison, run: RunInfo = RUN) -> Table:
    """The table of the pair."""
    summary = summary_of(*comparisons, run=run)
    pair = main_pair(summary)
    assert pair is not None
    return verdict_table(summary, pair)


@pytest.mark.parametrize(
    ("verdict", "finding", "word"),
    [
        ("a_better", "a_better", "Flask better"),
        ("a_better", "a_slightly_better", "Flask slightly better"),
        ("b_better", "b_slightly_better", "FastAPI slightly better"),
        ("b_better", "b_better", "FastAPI better"),
        ("equivalent", "equivalent", "equivalent"),
        ("inconclusive", "about_equal", "about equal (within 8 %)"),
        ("inconclusive", "too_noisy", "too noisy to say"),
        ("invalid", "invalid", "invalid"),
    ],
)
def test_every_finding_has_words_of_its_own(verdict: Verdict, finding: Finding, word: str) -> None:
    table = table_of(compared(verdict, 1.0, finding=finding, within=0.08))

    assert table.rows[0][1].word == word


def test_the_table_says_once_which_verdicts_hold_together() -> None:
    about = table_of(compared("b_better"), compared("b_better", metric="response_p50_ms")).about

    assert "plain 95 % intervals" in about
    assert "Verdicts on CPU per request are adjusted for each other (Holm)" in about
    assert "All others are exploratory." in about
    assert "All verdicts are exploratory" in table_of(compared("b_better", metric="response_p50_ms")).about


def test_an_interval_that_leaves_out_1_without_deciding_has_a_note() -> None:
    table = table_of(compared("inconclusive", 1.2), compared("inconclusive", 1.05, "throughput_rps"))

    assert table.notes == (
        "its own interval leaves out 1; adjusted for all verdicts that hold together, it does not",
    )
    assert [cell.marks for cell in table.rows[0][1:]] == [(), (1,)]


def test_memory_is_told_once_above_the_table() -> None:
    table = table_of(compared("b_better"), compared("b_better", 1.2, "private_mib", scenario=""))

    assert table.columns == ("scenario", "CPU per request")
    assert [row[0].text for row in table.rows] == ["Ping"]
    assert "Memory, once per server: FastAPI better, 1.20 (1.08 to 1.32)." in table.about


def test_a_scenario_that_waits_has_a_note() -> None:
    table = table_of(compared("b_better"), run=replace(RUN, waiting=("ping",)))

    assert table.rows[0][0].marks == (1,)
    assert "follow from users and threads" in table.notes[0]
