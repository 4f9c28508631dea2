"""The report's first sentences: who is better at what, by how much, how sure, and why."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.analysis.summary import Cell, Verdict
from loadtests.config.metrics import COMPARED, METRICS
from loadtests.report.answer import answer
from tests.support.summaries import (
    CLAIM,
    FLOOR_A,
    FLOOR_B,
    FLOOR_CLAIMS,
    RUN,
    SCENARIOS,
    A,
    B,
    compared,
    cost,
    everything,
    summary_of,
)


def test_the_first_sentence_says_who_is_better_at_what_by_how_much_and_how_sure() -> None:
    first, second, _ = answer(
        summary_of(
            compared("b_better", 2.0, scenario="ping"),
            compared("b_better", 1.5, scenario="read"),
            compared("a_better", 1.3, "throughput_rps", "read"),
            compared("inconclusive", 0.9, "throughput_rps", "ping"),
        )
    )

    assert "FastAPI on uvicorn needs less CPU per request than Flask on gunicorn in all 2 scenarios" in first
    assert "(by factors of 1.5 to 2.0)" in first
    assert (
        "Flask on gunicorn answers more requests per second than FastAPI on uvicorn in 1 of 2 scenarios"
        in first
    )
    assert first.endswith("With 95 % confidence no winner in throughput and CPU per request is wrong.")
    assert "1 is too noisy to say (throughput in Ping)" in second


def test_what_is_exploratory_is_called_that() -> None:
    latency = compared("b_better", metric="response_p50_ms")

    assert answer(summary_of(compared("b_better"), latency))[0].endswith("; other verdicts are exploratory.")
    assert answer(summary_of(latency))[0].endswith(
        "Verdicts that are exploratory, as here, have 95 % confidence each, not together."
    )


def test_a_slight_difference_is_not_told_as_a_large_one() -> None:
    slight = compared("b_better", 1.02, finding="b_slightly_better")
    large = compared("b_better", 2.0, scenario="read")

    assert (
        "in all 2 scenarios, slightly in 1 of them (by factors of 1.02 to 2.0)"
        in answer(summary_of(slight, large))[0]
    )
    assert (
        "needs less CPU per request than Flask on gunicorn, only slightly (by"
        in answer(summary_of(slight))[0]
    )


def test_undecided_comparisons_are_about_equal_or_too_noisy() -> None:
    near = compared("inconclusive", 1.01, finding="about_equal", within=0.0512)
    noisy = compared("inconclusive", 1.3, "throughput_rps")

    first, second, _ = answer(summary_of(near, noisy))

    assert (
        first
        == "Neither Flask on gunicorn nor FastAPI on uvicorn is better at anything, as far as this run can tell."
    )
    assert second == (
        "Of 2 comparisons, 1 is about equal within 5.2 % (CPU per request in Ping) and 1 is too noisy to say"
        " (throughput in Ping)."
    )
    assert answer(summary_of(near))[0].endswith(
        "are about equal in everything that was measured, within 5.2 %."
    )


def test_scenarios_that_wait_stay_out_of_the_factors_and_are_named() -> None:
    run = replace(RUN, waiting=("read",))
    first, second, _ = answer(
        summary_of(compared("b_better", 1.5), compared("b_better", 9.0, scenario="read"), run=run)
    )

    assert "needs less CPU per request than Flask on gunicorn (by a factor of 1.5)" in first
    assert second == (
        "Nothing else was compared. Not counted: Read one item; where requests wait, figures follow from users and"
        " threads."
    )
    assert answer(summary_of(compared("b_better", scenario="read"), run=run))[0] == (
        "Flask on gunicorn and FastAPI on uvicorn were both measured, but only where requests wait."
    )


def test_memory_is_reported_once_for_all_scenarios() -> None:
    first, _, _ = answer(
        summary_of(compared("a_better", 0.8, "pss_mib", "ping"), compared("a_better", 0.8, "pss_mib", "read"))
    )

    assert first.startswith("Flask on gunicorn uses less memory than FastAPI on uvicorn (by a factor of 1.2)")
    assert "scenarios" not in first


@pytest.mark.parametrize(
    ("verdict", "ratio", "sentence"),
    [
        (
            "inconclusive",
            1.1,
            "No comparison of Flask on gunicorn and FastAPI on uvicorn is decided: the run was too short, or the",
        ),
        (
            "invalid",
            2.0,
            "No verdict on Flask on gunicorn against FastAPI on uvicorn can be trusted: a gate failed",
        ),
        (
            "equivalent",
            1.0,
            "Flask on gunicorn and FastAPI on uvicorn are equivalent in everything that was measured, within 3 %.",
        ),
    ],
)
def test_a_run_without_a_winner_says_why(verdict: Verdict, ratio: float, sentence: str) -> None:
    assert answer(summary_of(*everything(verdict, ratio)))[0].startswith(sentence)


def test_equal_undecided_and_invalid_comparisons_are_counted_in_correct_grammar() -> None:
    found = (
        compared("equivalent", 1.0, "throughput_rps", "ping"),
        compared("invalid", 2.0, "throughput_rps", "read"),
        compared("invalid", 2.0, "response_p50_ms", "read"),
    )

    second = answer(summary_of(*found))[1]

    assert second == (
        "Of 3 comparisons, 1 is equivalent within 3 % and 2 are invalid (throughput in Read one item and p50 in"
        " Read one item)."
    )


def test_a_partial_run_says_so_first() -> None:
    run = replace(RUN, status="partial", rounds=1)

    assert answer(summary_of(*everything("b_better"), run=run))[0].startswith(
        "This run was stopped early, after 1 round: FastAPI on uvicorn"
    )


def test_a_single_contestant_is_compared_with_nothing() -> None:
    first, second, third = answer(summary_of(cells=(cost(A, 300),), run=replace(RUN, claims=())))

    assert first == "Only Flask on gunicorn was measured, so there is nothing to compare it with."
    assert second == "No gate failed."
    assert third == "To see why two servers differ, measure both in one run."


def test_a_second_launch_does_not_make_a_single_contestant_two() -> None:
    cells = (cost(A, 300), cost(f"{A}#2", 300))

    assert answer(summary_of(cells=cells, run=replace(RUN, claims=(), twins={f"{A}#2": A})))[0].startswith(
        "Only Flask on gunicorn was"
    )


def test_what_follows_the_brackets_of_a_title_is_kept() -> None:
    titles = {A: "Flask on gunicorn, 4 workers", B: "FastAPI on uvicorn (uvloop), 4 workers"}
    first = answer(summary_of(compared("b_better"), run=replace(RUN, contestants=titles)))[0]

    assert first.startswith("FastAPI on uvicorn, 4 workers needs less CPU")


def test_a_run_without_a_round_says_that_nothing_was_measured() -> None:
    assert answer(summary_of(run=replace(RUN, claims=())))[0].startswith("Nothing was measured")


def test_what_was_not_measured_is_not_called_undecided() -> None:
    missing = compared("inconclusive", None, "response_p99_ms", note="no slice has enough answers")
    found = answer(summary_of(compared("b_better"), compared("inconclusive", 1.0, "private_mib"), missing))[1]

    assert found == ("Of 3 comparisons, 1 is too noisy to say (memory) and 1 is not measured (p99 in Ping).")


def floors(*cells: Cell) -> str:
    run = replace(RUN, claims=(CLAIM, *FLOOR_CLAIMS))
    return answer(summary_of(*everything("b_better"), cells=cells, run=run))[2]


def test_the_floors_show_how_much_of_the_gap_is_the_server() -> None:
    third = floors(cost(A, 400), cost(B, 200), cost(FLOOR_A, 200), cost(FLOOR_B, 50))

    assert "costs 400 µs of CPU on Flask on gunicorn and 200 µs on FastAPI on uvicorn" in third
    assert third.endswith("75 % of the gap is server and gateway, 25 % is framework.")


def test_no_share_is_given_where_server_and_framework_pull_apart() -> None:
    third = floors(cost(A, 400), cost(B, 200), cost(FLOOR_A, 50), cost(FLOOR_B, 100))

    assert "opposite directions" in third
    assert "% of the gap" not in third


def test_an_invalid_floor_explains_nothing() -> None:
    third = floors(cost(A, 400), cost(B, 200), cost(FLOOR_A, 200, valid=False), cost(FLOOR_B, 50))

    assert "is not known" in third


def test_without_floors_the_reason_stays_open() -> None:
    assert "without a framework (raw-...)" in answer(summary_of(*everything("b_better")))[2]


VERDICTS: tuple[Verdict, ...] = ("a_better", "b_better", "equivalent", "inconclusive", "invalid")


def test_a_sequential_run_begins_with_a_warning() -> None:
    found = answer(summary_of(*everything("b_better"), run=replace(RUN, design="sequential")))

    assert "may name the wrong winner" in found[0]
    assert len(found) == 4


@given(st.lists(st.sampled_from(VERDICTS), min_size=len(COMPARED) * 2, max_size=len(COMPARED) * 2))
def test_the_answer_is_three_whole_sentences_whatever_the_verdicts(verdicts: list[Verdict]) -> None:
    places = [(scenario, metric) for scenario in SCENARIOS for metric in COMPARED]
    found = [compared(one, 1.5, metric, where) for one, (where, metric) in zip(verdicts, places, strict=True)]

    for sentence in answer(summary_of(*found)):
        assert re.match(r"[A-Z]", sentence)
        assert sentence.endswith(".")
        assert not re.search(r"  |\.\.$|None|nan|\(\)| ,|\b1 are\b|\b1 comparisons\b|\|", sentence)


def test_every_compared_metric_has_words_of_its_own() -> None:
    for metric in COMPARED:
        first = answer(summary_of(compared("b_better", 0.5, metric)))[0]

        assert METRICS[metric].name not in first
        assert "FastAPI on uvicorn" in first
