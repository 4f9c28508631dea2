"""What a selftest found: shares judged, saved, loaded, and shown."""

import json
from itertools import product
from pathlib import Path

import pytest
from scipy.stats import binomtest

from loadtests.errors import SuiteError
from loadtests.report.markdown import to_markdown
from loadtests.selftest.records import Check, Selftest, at_least, at_most, load, newest, save, share
from loadtests.selftest.report import document_of, newest_tables


def test_shares_are_held_against_limits_with_their_uncertainty() -> None:
    assert at_most(1, 10, 0.05)
    assert not at_most(3, 10, 0.05)
    assert at_least(8, 10, 0.9)
    assert not at_least(5, 10, 0.9)
    assert at_most(0, 0, 0.05) is None
    assert share(1, 20).startswith("1 of 20 (5.0 %, 95 % interval 0.1 to 24.9 %)")


@pytest.mark.parametrize("of", [1, 2, 20, 43])
def test_shares_are_judged_as_scipy_would(of: int) -> None:
    for hits, limit in product(range(of + 1), (0.05, 0.5, 0.9)):
        low, high = binomtest(hits, of).proportion_ci(0.95)
        more, fewer = (binomtest(hits, of, limit, alternative=side).pvalue for side in ("greater", "less"))

        assert share(hits, of).endswith(f" 95 % interval {100 * low:.1f} to {100 * high:.1f} %)")
        assert (at_most(hits, of, limit), at_least(hits, of, limit)) == (more >= 0.05, fewer >= 0.05)


FOUND = Selftest(
    id="selftest-20250101-120000",
    started_at="2025-01-01T12:00:00+00:00",
    duration_s=61.0,
    status="complete",
    seed=0,
    machine={"CPU": "a CPU"},
    checks=(
        Check(
            "a", "First", "must hold", True, "it did", ({"what": "x", "ratio": 1.01, "n": 3, "low": None},)
        ),
        Check("b", "Second", "must hold too", False, "it did not"),
        Check("c", "Third", "cannot be judged", None, "no time"),
    ),
)


def test_a_selftest_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    folder = tmp_path / FOUND.id
    folder.mkdir()

    save(FOUND, folder)

    assert load(folder) == FOUND
    assert newest(tmp_path) == folder
    assert json.loads((folder / "selftest.json").read_text())["ok"] is False
    assert [path.name for path in folder.iterdir()] == ["selftest.json"]


def test_reports_beside_a_selftest_show_what_it_found(tmp_path: Path) -> None:
    (tmp_path / FOUND.id).mkdir()
    save(FOUND, tmp_path / FOUND.id)

    (table,) = newest_tables(tmp_path)

    assert [row[0].text for row in table.rows] == ["First", "Second", "Third"]
    assert FOUND.id in table.about


def test_a_selftest_that_cannot_be_read_does_not_keep_a_report_from_being_written(tmp_path: Path) -> None:
    (tmp_path / FOUND.id).mkdir()
    (tmp_path / FOUND.id / "selftest.json").write_text("{")

    assert newest_tables(tmp_path) == ()
    assert newest_tables(tmp_path / "elsewhere") == ()


def test_a_folder_without_a_selftest_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="holds no selftest"):
        load(tmp_path)
    assert newest(tmp_path) is None


def test_the_page_says_what_failed_first() -> None:
    page = to_markdown(document_of(FOUND), {})

    assert "1 of 2 checks failed." in page
    assert "Second: it did not." in page
    assert page.index("Second: it did not.") < page.index("First")
    assert "not judged" in page
