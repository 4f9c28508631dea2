"""Every verdict, reached from samples that deserve it."""

import re
from dataclasses import replace

import pytest

from loadtests.analysis.verdict import summarise
from loadtests.config.metrics import COMPARED
from loadtests.config.profiles import Claim
from tests.support.frames import SCENARIO, A, B, Piece, both_loops, digested, rounds_of, run_of, samples_of
from tests.support.verdicts import STEADY, cell_in, comparison_in, verdict_on, versus

OF_A_SCENARIO = [metric for metric in COMPARED if metric != "private_mib"]
SHAKY = (0.85, 1.1, 1.0, 0.95, 1.15)


@pytest.mark.parametrize(("times_faster", "verdict"), [(1.5, "a_better"), (1 / 1.5, "b_better")])
def test_more_throughput_is_better(times_faster: float, verdict: str) -> None:
    result = verdict_on("throughput_rps", versus(times_faster))

    assert (result.verdict, result.note) == (verdict, "")
    assert result.ratio == pytest.approx(times_faster, rel=0.01)


@pytest.mark.parametrize(("times_faster", "verdict"), [(1.5, "a_better"), (1 / 1.5, "b_better")])
def test_less_cpu_time_is_better(times_faster: float, verdict: str) -> None:
    result = verdict_on("cpu_us_per_request", versus(times_faster))

    assert result.verdict == verdict
    assert result.ratio == pytest.approx(1 / times_faster, rel=0.01)


def test_shorter_response_times_and_less_memory_are_better() -> None:
    pieces = rounds_of([*both_loops(A, service_ms=1.0), *both_loops(B, service_ms=2.0)], 3)

    summary = summarise(digested(samples_of(*pieces, pss_mib={A: 40.0, B: 30.0})), run_of())

    assert comparison_in(summary, "response_p50_ms").verdict == "a_better"
    assert comparison_in(summary, "pss_mib").verdict == "b_better"


def test_an_interval_inside_the_margin_says_equivalent() -> None:
    result = verdict_on("throughput_rps", versus(1.0))

    assert (result.verdict, result.finding, result.within) == ("equivalent", "equivalent", 0.03)
    assert result.note == "the whole interval is within 3%"


def test_a_difference_that_is_certain_but_too_small_to_matter_is_equivalent() -> None:
    result = verdict_on("throughput_rps", versus(1.02, (1.0, 1.001, 0.999)))

    assert result.verdict == "equivalent"
    assert result.low is not None
    assert result.low > 1


def test_a_smaller_margin_makes_the_same_difference_matter() -> None:
    result = verdict_on("throughput_rps", versus(1.02, (1.0, 1.001, 0.999)), margin=0.01)

    assert (result.verdict, result.margin) == ("a_better", 0.01)


def test_a_winner_by_perhaps_less_than_the_margin_is_noted() -> None:
    result = verdict_on("throughput_rps", versus(1.03))

    assert (result.verdict, result.finding) == ("a_better", "a_slightly_better")
    assert result.note == "maybe by less than 3%"


def test_an_interval_on_both_sides_is_inconclusive_and_says_how_much_more_it_takes() -> None:
    result = verdict_on("throughput_rps", versus(1.0, SHAKY))

    assert (result.verdict, result.finding, result.within) == ("inconclusive", "too_noisy", None)
    assert re.fullmatch(r"a run of about .* would decide it", result.note)


def test_what_is_undecided_within_three_margins_is_about_equal() -> None:
    result = verdict_on("throughput_rps", versus(1.0, (0.97, 1.03, 1.0, 0.96, 1.04)))

    assert (result.verdict, result.finding) == ("inconclusive", "about_equal")
    assert result.within == pytest.approx(max((result.high or 0) - 1, 1 / (result.low or 9) - 1))
    assert 0.03 < (result.within or 0) <= 0.09


def test_two_rounds_give_a_ratio_without_a_verdict() -> None:
    result = verdict_on("throughput_rps", versus(2.0, (1.0, 1.0)))

    assert (result.verdict, result.finding, result.low, result.rounds) == (
        "inconclusive",
        "too_noisy",
        None,
        2,
    )
    assert result.ratio == pytest.approx(2)
    assert result.note == "rounds with enough samples: 2 of the 3 needed; take a longer profile"


def test_a_block_is_a_pair_and_both_of_it_must_have_answered() -> None:
    alone = [replace(one, block=1 if one.contestant == A else 2) for one in versus(2.0)]

    result = verdict_on("throughput_rps", [*versus(2.0), *alone])

    assert (result.rounds, result.blocks) == (5, 5)
    assert result.round_ratios == pytest.approx([2 * launch for launch in STEADY])


def test_a_contestant_with_only_failures_loses_nothing_and_wins_nothing() -> None:
    dead = rounds_of([*both_loops(A, failed=20), *both_loops(B)], 3)

    summary = summarise(digested(samples_of(*dead)), run_of())

    assert {one.metric: one.verdict for one in summary.comparisons} == dict.fromkeys(OF_A_SCENARIO, "invalid")
    assert "error_rate: failed: 60 x status" in comparison_in(summary, "throughput_rps").note
    for metric in ("throughput_rps", "cpu_us_per_request", "response_p50_ms"):
        cell = cell_in(summary, A, metric)
        assert (cell.value, cell.valid) == (None, False)
        assert "not measured" in cell.reasons[-1]
    assert cell_in(summary, A, "error_percent").value == pytest.approx(100)


def test_a_server_whose_cpu_time_is_not_known_has_no_value_but_a_reason() -> None:
    pieces = rounds_of([Piece(A, cpu_us=None), Piece(B)], 3)

    summary = summarise(digested(samples_of(*pieces, pss_mib={A: None, B: 50.0})), run_of())

    cell = cell_in(summary, A, "cpu_us_per_request")
    assert (cell.value, cell.low, cell.high, cell.rounds, cell.valid) == (None, None, None, 0, True)
    assert cell.reasons == ("not measured: no answer, or no reading of the server's processes",)
    assert cell_in(summary, A, "pss_mib").value is None
    assert comparison_in(summary, "cpu_us_per_request").verdict == "inconclusive"
    assert comparison_in(summary, "throughput_rps").verdict == "equivalent"


def test_one_slice_without_a_reading_costs_its_block_only() -> None:
    pieces = [replace(piece, cpu_us=None) if place == 0 else piece for place, piece in enumerate(versus(1.5))]

    result = verdict_on("cpu_us_per_request", pieces)

    assert (result.verdict, result.rounds) == ("a_better", 4)


def test_a_scenario_without_an_open_loop_is_not_compared_on_latencies() -> None:
    napping = [replace(piece, scenario="nap") for piece in versus(1.0)]
    open_too = rounds_of([*both_loops(A), *both_loops(B)], 3)

    summary = summarise(digested(samples_of(*napping, *open_too)), run_of(scenarios=("nap", SCENARIO)))

    assert [one.metric for one in summary.comparisons if one.scenario == SCENARIO] == OF_A_SCENARIO
    assert [one.metric for one in summary.comparisons if one.scenario == "nap"] == [
        "throughput_rps",
        "cpu_us_per_request",
        "pss_mib",
    ]


def test_only_scenarios_that_both_answer_are_compared() -> None:
    pieces = [*versus(1.5), Piece(A, scenario="ping"), Piece("floor", scenario="ping")]

    summary = summarise(digested(samples_of(*pieces)), run_of(scenarios=("ping", SCENARIO)))

    assert {one.scenario for one in summary.comparisons} == {SCENARIO}


def test_every_claim_is_a_table_of_its_own() -> None:
    claims = (Claim(A, B, "there"), Claim(B, A, "and back"))

    summary = summarise(digested(samples_of(*versus(1.5))), run_of(claims=claims))

    there, back = (one for one in summary.comparisons if one.metric == "throughput_rps")
    assert (there.verdict, back.verdict) == ("a_better", "b_better")
    assert (back.ratio or 0) * (there.ratio or 0) == pytest.approx(1)


def test_the_ratios_of_the_rounds_are_told_in_their_order() -> None:
    rounds = range(12)
    pieces = [
        piece
        for number in rounds
        for name, service_ms in ((A, 1.0 + number), (B, 1.0))
        for piece in both_loops(name, round=number, service_ms=service_ms, gap_ms=20.0)
    ]

    summary = summarise(digested(samples_of(*pieces)), run_of())

    wanted = [1.0 + number for number in rounds]
    assert comparison_in(summary, "response_p50_ms").round_ratios == pytest.approx(wanted, rel=1e-3)
    assert comparison_in(summary, "cpu_us_per_request").round_ratios == pytest.approx([1.0] * 12)


def test_a_cell_is_the_geometric_mean_of_each_rounds_median() -> None:
    pieces = [
        Piece(A, round=number, block=block, service_ms=service_ms)
        for number, times in enumerate(((1.0, 1.0, 9.0), (2.0, 2.0, 2.0), (4.0, 4.0, 4.0)))
        for block, service_ms in enumerate(times)
    ]

    cell = cell_in(summarise(digested(samples_of(*pieces)), run_of()), A, "throughput_rps")

    assert cell.value == pytest.approx(1000)  # 2000, 1000 and 500 with two users
    assert (cell.rounds, cell.slices, cell.unit) == (3, 9, "requests/s")


def test_a_cell_that_holds_a_zero_has_a_plain_mean_and_no_interval() -> None:
    cell = cell_in(summarise(digested(samples_of(*versus(1.0))), run_of()), A, "error_percent")

    assert (cell.value, cell.low, cell.high, cell.valid) == (0.0, None, None, True)


def test_a_server_against_its_own_second_launch_gives_a_ratio_of_about_one() -> None:
    names = {A: A, B: f"{A}#2"}
    pieces = [replace(one, contestant=names[one.contestant], scenario="ping") for one in versus(1.0)]

    summary = summarise(
        digested(samples_of(*pieces)), run_of(A, f"{A}#2", B, scenarios=("ping",), twins={f"{A}#2": A})
    )

    aa = {one.metric: one for one in summary.noise.aa}
    assert "pss_mib" not in aa
    for metric in ("throughput_rps", "cpu_us_per_request"):
        assert (aa[metric].low or 9) <= 1 <= (aa[metric].high or 0)
    assert aa["response_p99_ms"].note.startswith("not measured")


def test_stolen_time_of_the_whole_run_is_told() -> None:
    pieces = rounds_of([Piece(A, steal=0.1), Piece(B, steal=0.2)], 3)

    assert summarise(digested(samples_of(*pieces)), run_of()).noise.steal_percent == pytest.approx(15)


def test_a_run_without_samples_has_an_empty_summary() -> None:
    summary = summarise(digested(samples_of()), run_of())

    assert (summary.cells, summary.comparisons, summary.gates, summary.noise.aa) == ((), (), (), ())
    assert summary.noise.steal_percent is None
