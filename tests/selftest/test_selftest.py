"""The selftest: its servers tell the truth, its arithmetic is right, and each check can fail."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from scipy.stats import binomtest

from loadtests.config.catalog import Catalog
from loadtests.config.selection import CATALOG
from loadtests.errors import SuiteError
from loadtests.machine.servers import launched
from loadtests.reference.burner import Burner
from loadtests.report.markdown import to_markdown
from loadtests.samples.store import Failure
from loadtests.selftest import a_vs_a, coverage, delays, designs, frozen, injection
from loadtests.selftest import run as run_module
from loadtests.selftest.injection import Found, Stamp, read_stamp
from loadtests.selftest.records import Check, Selftest, at_least, at_most, load, newest, save, share
from loadtests.selftest.report import document_of, newest_tables
from loadtests.selftest.setting import headliners, repeats, wrapped
from tests.support.command import run, run_here
from tests.support.frames import MS, Piece, digested, samples_of

OURS = Catalog(CATALOG)
FLOORS = ("raw-wsgi-gthread", "raw-asgi-uvicorn")
SEEN = Found("an-app", seen=True, seconds=60.0, needed_s=30.0)


@pytest.mark.parametrize("name", FLOORS)
def test_a_wrapped_server_answers_as_before_and_stamps_what_it_burnt(name: str) -> None:
    costly = wrapped(OURS.contestants[name], "costly", 20_000)

    with launched([costly], {}, ()) as endpoints, httpx2.Client() as client:
        before = read_stamp(endpoints["costly"])
        url = f"http://127.0.0.1:{endpoints['costly'].port}"
        answers = [client.get(f"{url}/api/probe/ping") for _ in range(20)]
        spent = read_stamp(endpoints["costly"]).since(before)

    assert {one.text for one in answers} == {'{"message":"pong"}'}
    assert spent.requests == 20
    assert 0 < spent.burnt_ns < spent.cpu_ns
    assert spent.burnt_ns / 20 > 20_000  # 20,000 turns take more than a nanosecond each


def test_a_burner_without_turns_burns_next_to_nothing() -> None:
    idle, busy = Burner(0), Burner(100_000)
    for _ in range(20):
        idle.burn()
        busy.burn()

    spent = [json.loads(one.stamps()) for one in (idle, busy)]

    assert [one["requests"] for one in spent] == [20, 20]
    assert spent[0]["burnt_ns"] < spent[1]["burnt_ns"] / 10


def test_both_headliners_can_be_wrapped() -> None:
    for one in headliners(OURS):
        copy = wrapped(one, "copy", 7)

        assert copy.command[-1] == f"loadtests.reference.burning_{one.gateway}:app"
        assert copy.environment["BURNER_APP"] == one.command[-1]
        assert copy.command[:-1] == one.command[:-1]


def test_a_stamp_tells_what_a_request_costs_and_how_much_of_it_was_burnt() -> None:
    stamp = Stamp(requests=500, burnt_ns=13_000_000, cpu_ns=65_000_000)

    assert stamp.cost_ns == pytest.approx(130_000)
    assert stamp.burnt_each_ns == pytest.approx(26_000)


def test_the_true_ratio_is_that_of_the_servers_own_books_over_all_rounds() -> None:
    rounds = [{"base": Stamp(1, 0, 100), "copy": Stamp(2, 0, 2 * cost)} for cost in (110, 121)]

    assert injection.truth(rounds, "copy", "base") == pytest.approx((1.10 * 1.21) ** 0.5)


def test_repeats_go_on_while_another_fits() -> None:
    endless = repeats(60.0)

    assert list(repeats(0.0)) == [0]
    assert [next(endless) for _ in range(3)] == [0, 1, 2]


INJECTED = injection.Row("an-app", 5.0, 5.0, 1, 1.05, 1.05, 1.0, 1.1, contains_truth=True, found=True)


def injected(*truths: bool, found: Found = SEEN) -> Check:
    return injection.judged([replace(INJECTED, contains_truth=one) for one in truths], [found])


def test_intervals_that_miss_the_truth_too_often_fail_the_check() -> None:
    assert injected(*[True] * 38, False, False).ok
    assert not injected(*[True] * 30, *[False] * 10).ok


def test_five_percent_that_would_take_too_long_to_find_fail_the_check() -> None:
    soon, late = (replace(SEEN, seen=False, needed_s=needed_s) for needed_s in (600.0, 2000.0))

    assert injected(*[True] * 40, found=soon).ok
    assert not injected(*[True] * 40, found=late).ok
    assert "5 % in an-app: not found in 60 s of load, 600 s would do" in injected(True, found=soon).summary


@pytest.mark.parametrize(("winners", "ok"), [(2, True), (9, False)])
def test_too_many_winners_among_equals_fail_the_check(winners: int, ok: bool) -> None:
    rows = [a_vs_a.Row("a", "cpu", 1, 1.0, 0.9, 1.1, better=number < winners) for number in range(60)]

    assert a_vs_a.judged(rows).ok == ok
    assert f"{winners} of 60" in a_vs_a.judged(rows).summary


def test_a_wrong_winner_of_the_paired_design_fails_the_check_one_of_the_sequential_does_not() -> None:
    right = designs.Row("paired", 1, 0.95, designs.FAST, wrong=False, sure=True)
    wrong = designs.Row("sequential", 1, 1.05, designs.SLOW, wrong=True, sure=True)

    assert designs.judged([right, wrong]).ok
    assert "sequential: wrong 1 of 1" in designs.judged([right, wrong]).summary
    assert not designs.judged([right, replace(wrong, design="paired")]).ok


def test_a_design_names_the_server_that_costs_less() -> None:
    pieces = [
        Piece(name, round=round_, block=block, service_ms=cost, cpu_us=100 * cost, scenario="ping")
        for round_ in range(4)
        for block, wobble in enumerate((0.99, 1.0, 1.01))
        for name, cost in ((designs.FAST, wobble), (designs.SLOW, (1.05 + 0.001 * round_) * wobble))
    ]
    known = digested(samples_of(*pieces))

    assert designs.paired(known, designs.CPU)[1:] == (designs.FAST, True)
    assert designs.paired(known, designs.THROUGHPUT)[1:] == (designs.FAST, True)
    assert designs.sequential(known)[1:] == (designs.FAST, True)


def delayed(errors_ms: Sequence[float], *, delay_ms: float = 5.0) -> Any:
    """Samples of one slice of the delay server, with the stamps that belong to them."""
    samples = samples_of(Piece("delays", "open", "delay-5ms", requests=len(errors_ms)))
    end_ns = samples.requests["sent_ns"].to_numpy() + ((np.array(errors_ms) + delay_ms) * MS).astype(np.int64)
    received_ns = samples.requests["sent_ns"].to_numpy() + 1000
    stamps = np.stack([received_ns, received_ns + round(delay_ms * MS)], axis=1)
    slices = samples.slices.with_columns(drained_ns=int(end_ns.max()))
    requests = samples.requests.with_columns(end_ns=end_ns)
    return replace(samples, requests=requests, slices=slices), stamps


def test_what_is_measured_beyond_the_stamped_delay_is_error() -> None:
    (row,) = delays.rows_of(*delayed([0.1] * 99 + [3.0]))

    assert row.error_p50_ms == pytest.approx(0.1, abs=1e-3)
    assert row.error_p99_ms == pytest.approx(0.129, abs=1e-3)
    assert (row.lost, row.delay_ms) == (0, 5)


@pytest.mark.parametrize(
    ("errors_ms", "ok"), [([0.1] * 100, True), ([0.4] * 100, False), ([0.1] * 90 + [2.0] * 10, False)]
)
def test_an_error_beyond_its_limit_fails_the_check(errors_ms: list[float], ok: bool) -> None:
    assert delays.judged(delays.rows_of(*delayed(errors_ms))).ok == ok


def test_errors_are_not_held_against_the_suite_while_cpu_time_is_stolen_or_cpus_sleep() -> None:
    samples, stamps = delayed([2.0] * 100)
    stolen = samples.slices.with_columns(steal_ms=100.0)
    slow = samples.slices.with_columns(rate_rps=50.0)

    for slices in (stolen, slow):
        assert delays.judged(delays.rows_of(replace(samples, slices=slices), stamps)).ok is None


def test_a_request_that_the_server_has_not_stamped_fails_the_check() -> None:
    samples, stamps = delayed([0.1] * 100)

    found = delays.judged(delays.rows_of(samples, stamps[:-1]))

    assert not found.ok
    assert found.figures[0]["lost"] == 1


def frozen_samples(waits: bool) -> Any:
    """800 requests at 200 a second, open and closed, the server frozen from 1.5 to 2.5 s after the start."""
    pieces = [Piece(mode="open", requests=1), Piece(mode="open", requests=800, gap_ms=5.0)]
    pieces += [Piece(mode="open", requests=1), Piece(mode="closed", requests=800, users=1)]
    samples = samples_of(*pieces)
    start_ns = int(samples.slices.filter(samples.slices["slice"] == 1)["start_ns"][0])
    span_ns = start_ns + 1500 * MS, start_ns + 2500 * MS
    due_ns = samples.requests["due_ns"].to_numpy()
    inside = (samples.requests["slice"].to_numpy() == 1) & (due_ns > span_ns[0]) & (due_ns < span_ns[1])
    end_ns = np.where(inside & waits, span_ns[1] + MS, samples.requests["end_ns"].to_numpy())
    return replace(samples, requests=samples.requests.with_columns(end_ns=end_ns)), {1: span_ns}


def test_a_client_that_shows_the_wait_passes_and_one_that_hides_it_fails() -> None:
    honest = frozen.judged(frozen.rows_of(*frozen_samples(waits=True)))
    hiding = frozen.judged(frozen.rows_of(*frozen_samples(waits=False)))

    assert honest.ok
    assert not hiding.ok
    assert [one["open_loop"] for one in honest.figures] == [180, 150, 100, 50]


def test_a_lost_request_fails_the_check_of_the_frozen_server() -> None:
    samples, spans_ns = frozen_samples(waits=True)
    lost = samples.requests.with_columns(failure=Failure.TIMEOUT)

    assert not frozen.judged(frozen.rows_of(replace(samples, requests=lost), spans_ns)).ok


def test_coverage_outside_its_limits_fails_the_check() -> None:
    good = coverage.Row("a", 1.0, 2.0, 0.0, 6, 8, coverage_percent=95.0)

    assert coverage.judged([good]).ok
    assert not coverage.judged([good, replace(good, coverage_percent=92.9)]).ok
    assert coverage.judged([]).ok is None


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


def test_the_budget_is_shared_after_the_fixed_checks() -> None:
    seconds = run_module.shares(tuple(run_module.CHECKS), 1000.0)

    assert sum(seconds.values()) == pytest.approx(
        1000 - sum(one.takes_s for one in run_module.CHECKS.values())
    )
    assert seconds["injection"] > seconds["itself"] > 0
    assert run_module.shares(("itself",), 100.0) == {"itself": 100.0}


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


@pytest.mark.parametrize(
    ("only", "told"),
    [(("nope",), "there is no check 'nope'"), (("coverage",), "name both")],
)
def test_checks_that_cannot_be_run_are_refused(only: tuple[str, ...], told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        run_module.chosen(only)


def test_bad_input_is_one_line_and_nothing_is_begun(tmp_path: Path) -> None:
    ended = run_here("selftest", "--only", "nope", "--results-dir", str(tmp_path / "results"))

    assert ended.returncode == 2
    assert "there is no check 'nope'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_a_frozen_server_is_found_out_by_the_command(tmp_path: Path) -> None:
    ended = run("selftest", "--only", "frozen", "--results-dir", str(tmp_path))

    folder = Path(ended.stdout.splitlines()[-1])
    found = json.loads((folder / "selftest.json").read_text())
    (check,) = found["checks"]
    assert (check["name"], found["status"]) == ("frozen", "complete")
    assert all(row["lost"] == 0 for row in check["figures"])
    assert all(row["open_loop"] >= row["arrivals"] > row["closed_loop"] for row in check["figures"])
    assert (folder / "report.html").stat().st_size > 5_000
