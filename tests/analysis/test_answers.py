"""Kept answers are compared between contestants, and the first difference is told."""

from dataclasses import replace

import pytest

from loadtests.analysis import gates
from loadtests.analysis.answers import difference
from tests.support.frames import SCENARIO, A, B, Piece, both_loops, digested, run_of, samples_of
from tests.support.gates import found, looked_at

SAME, OTHER = '{"id":1,"stock":5}', '{"id":1,"stock":6}'


def test_equal_answers_pass_and_are_counted() -> None:
    result = found("same_answers", Piece(A, answers=(SAME, "{}")), Piece(B, answers=(SAME, "{}")))

    assert (result.ok, result.value, result.limit) == (True, 0.0, 0.0)


def test_a_different_answer_fails_and_is_told_with_both_values() -> None:
    result = found("same_answers", Piece(A, answers=("{}", SAME)), Piece(B, answers=("{}", OTHER)))

    assert (result.ok, result.value) == (False, 1.0)
    assert result.note == (
        "1 of 2 answers differ from another contestant's, first at /stock: 5 against 6 (fastapi)"
    )


def test_only_the_one_that_differs_from_most_is_blamed() -> None:
    pieces = (Piece(A, answers=(SAME,)), Piece("third", answers=(SAME,)), Piece(B, answers=(OTHER,)))

    results = gates.inspect(digested(samples_of(*pieces)), run_of())

    assert [one.contestant for one in results if one.ok is False and one.gate == "same_answers"] == [B]


def test_a_second_launch_does_not_outvote_another_contestant() -> None:
    pieces = (Piece(A, answers=(SAME,)), Piece(f"{A}#2", answers=(SAME,)), Piece(B, answers=(OTHER,)))

    assert found("same_answers", *pieces).ok is False


def test_answers_to_other_requests_are_not_compared() -> None:
    """Another block, another round, another loop: nobody else answered these."""
    elsewhere = (Piece(B, block=1), Piece(B, round=1), Piece(B, mode="open"), Piece(f"{A}#2"))

    result = found("same_answers", Piece(A), *elsewhere)

    assert (result.ok, result.value) == (None, None)
    assert result.note == "not measured: no kept answer that another contestant gave too"


def test_an_answer_of_an_unexpected_status_is_a_failure_and_not_compared() -> None:
    samples = samples_of(Piece(A, answers=(SAME,)), Piece(B, answers=(OTHER,)))
    unexpected = samples.answers.with_columns(fits=None)

    assert looked_at(replace(samples, answers=unexpected))["same_answers"].ok is None


def test_a_difference_in_one_loop_leaves_the_other_valid() -> None:
    differing = [replace(one, answers=(OTHER,)) for one in both_loops(B)][:1]
    results = gates.inspect(digested(samples_of(*both_loops(A), *differing, both_loops(B)[1])), run_of())

    spoiled = gates.reasons([one for one in results if one.gate == "same_answers"])

    assert set(spoiled) == {(SCENARIO, A, "closed"), (SCENARIO, B, "closed")}


@pytest.mark.parametrize(
    ("own", "other", "text"),
    [
        ('{"a":12,"b":1}', '{"a":123,"b":1}', "/a: 12 against 123"),
        ('{"a":{"b":[1]},"c":1}', '{"a":{"b":[1]},"c":2}', "/c: 1 against 2"),
        ('{"b":[{"s":5},{"s":6}]}', '{"b":[{"s":5},{"s":7}]}', "/b/1/s: 6 against 7"),
        ('{"a":"x, [y]: \\"z\\"","b":1}', '{"a":"x, [y]: \\"z\\"","b":2}', "/b: 1 against 2"),
        ('{"a":null}', '{"a":{"b":1}}', '/a: null against {"b":1}}'),
        ('{"a":{"x":1}}', '{"a":{"y":1}}', '/a: "x" against "y"'),
        ('{"a":[1,2]}', '{"a":[1,2,3]}', "/a: ] against ,"),
        ("<p>one</p>", "<p>two</p>", "the body: <p>one</p> against <p>two</p>"),
        ("", "{}", "the body: nothing against {}"),
        ('{"a":"cut o', '{"a":"cut o', "a difference beyond what was kept of the bodies"),
    ],
)
def test_a_difference_is_a_pointer_and_two_values(own: str, other: str, text: str) -> None:
    assert difference(own, other) == text


def test_a_long_value_is_shown_in_part() -> None:
    text = difference(f'{{"a":"{"x" * 100}"}}', '{"a":1}')

    assert text == f'/a: "{"x" * 59}... against 1'
