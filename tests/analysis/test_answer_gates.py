"""Gates on the answers: failures, counts, bodies, connections."""

from dataclasses import replace

import polars as pl
import pytest

from loadtests.analysis import gates
from loadtests.samples.store import Failure
from tests.support.frames import (
    A,
    B,
    Piece,
    digested,
    run_of,
    samples_of,
)
from tests.support.gates import found, looked_at


@pytest.mark.parametrize(("failed", "ok"), [(0, True), (1, False)])
def test_errors_stay_below_one_in_a_thousand(failed: int, ok: bool) -> None:
    result = found("error_rate", Piece(requests=1000, failed=failed))

    assert (result.ok, result.value) == (ok, failed / 10)


def test_failures_of_a_warm_up_count_like_others() -> None:
    result = found("error_rate", Piece(requests=900, warmup=(100, 5)))

    assert (result.ok, result.value) == (False, 0.5)
    assert result.note == "failed: 5 x in a warm-up"


def test_warm_ups_of_runs_that_did_not_check_them_count_for_nothing() -> None:
    samples = samples_of(Piece(requests=1000, warmup=(1000, 0), failed=1))
    unchecked = samples.slices.with_columns(warmup_failures=pl.lit(None, pl.Int32))

    assert looked_at(replace(samples, slices=unchecked))["error_rate"].value == pytest.approx(0.1)


def test_the_reason_for_errors_counts_their_kinds() -> None:
    result = found("error_rate", Piece(failed=3), Piece(failed=2, failure=Failure.TIMEOUT))

    assert result.note == "failed: 3 x status, 2 x timeout"


def test_kinds_of_errors_that_are_as_many_are_told_in_a_fixed_order() -> None:
    result = found("error_rate", *(Piece(failed=1, failure=kind) for kind in reversed(Failure) if kind))

    assert result.note.split(" x ", 1)[1].startswith("connect, 1 x reset, 1 x timeout")


@pytest.mark.parametrize(("unanswered", "ok"), [(0, True), (5, True), (6, False)])
def test_scheduled_requests_are_answered_but_for_one_in_two_hundred(unanswered: int, ok: bool) -> None:
    dropped = Piece(mode="open", requests=1000, failed=unanswered, failure=Failure.TIMEOUT)

    result = found("achieved_rate", dropped)

    assert (result.ok, result.value) == (ok, 100 - unanswered / 10)


@pytest.mark.parametrize("kind", [Failure.CONNECT, Failure.RESET, Failure.TIMEOUT, Failure.MALFORMED])
def test_a_single_request_without_an_answer_is_one_too_many(kind: Failure) -> None:
    result = found("unfinished", Piece(requests=10_000, failed=1, failure=kind))

    assert (result.ok, result.value) == (False, 1.0)
    assert found(
        "unfinished", Piece(failed=1, failure=Failure.STATUS)
    ).ok  # a wrong answer is one all the same


def test_a_request_of_which_no_record_is_left_is_missed() -> None:
    samples = samples_of(Piece(requests=20))

    result = looked_at(replace(samples, requests=samples.requests.head(18)))["unfinished"]

    assert (result.ok, result.value) == (False, 2.0)
    assert result.note == "0 requests got no complete answer, 2 left no record, 0 were not sent"


def test_planned_requests_that_were_not_sent_are_missed() -> None:
    result = found("unfinished", Piece(requests=18, planned=20))

    assert (result.ok, result.value) == (False, 2.0)
    assert found("unfinished", Piece(requests=20, planned=20)).ok


def test_a_server_that_counted_one_request_less_is_caught() -> None:
    assert found("request_count", Piece(), Piece()).ok
    assert not found("request_count", Piece(), Piece(uncounted=1)).ok


def test_one_request_too_many_does_not_make_up_for_one_too_few() -> None:
    result = found("request_count", Piece(uncounted=1), Piece(uncounted=-1))

    assert (result.ok, result.value) == (False, 2.0)
    assert result.note == "client and server disagree by 2 requests"


def test_a_server_that_does_not_count_is_not_checked() -> None:
    result = found("request_count", Piece(uncounted=None))

    assert (result.ok, result.value) == (None, None)
    assert "not measured" in result.note


def test_a_slice_that_was_not_counted_does_not_hide_one_that_was() -> None:
    assert found("request_count", Piece(uncounted=None), Piece(uncounted=1)).value == 1.0


def test_a_body_of_another_size_for_one_kind_of_request_is_caught() -> None:
    samples = samples_of(Piece(A), Piece(B), Piece("other"))
    mine = (pl.col("slice") == 0) & (pl.col("variant") == 2)
    shorter = pl.when(mine).then(80).otherwise(pl.col("body_bytes"))

    tripped = replace(samples, requests=samples.requests.with_columns(body_bytes=shorter))

    assert looked_at(samples)["bytes"].ok
    assert looked_at(tripped)["bytes"].value == pytest.approx(20)
    assert not looked_at(tripped)["bytes"].ok


def test_only_the_one_that_differs_from_most_is_blamed_for_its_bodies() -> None:
    results = gates.inspect(
        digested(samples_of(Piece(A), Piece(B), Piece("other", body_bytes=120))), run_of()
    )

    assert [one.contestant for one in results if one.ok is False] == ["other"]


def test_of_two_that_differ_neither_is_usual_and_both_are_blamed_for_the_whole() -> None:
    results = gates.inspect(
        digested(samples_of(Piece(A, body_bytes=100), Piece(B, body_bytes=125))), run_of()
    )

    blamed = {one.contestant: one.value for one in results if one.ok is False}
    assert blamed == pytest.approx({A: 20, B: 25})


def test_the_body_of_a_failure_is_not_compared() -> None:
    assert found("bytes", Piece(A), Piece(B, body_bytes=500, failed=20)).ok is None


def test_the_words_of_a_refusal_are_not_compared() -> None:
    refused = (Piece(A, status=422, block=1), Piece(B, status=422, block=1, body_bytes=140))

    assert found("bytes", Piece(A), Piece(B), *refused).ok
    assert found("bytes", *refused).value is None


def test_a_keep_alive_server_opens_no_more_connections_than_it_has_users() -> None:
    assert found("keep_alive", Piece(connections=2), Piece(round=1, connections=2)).ok

    result = found("keep_alive", Piece(connections=2), Piece(connections=18))

    assert not result.ok
    assert result.note == "20 connections were opened for 40 requests where 3 would have been enough"


def test_a_server_that_is_to_close_connections_must_do_so_after_each_request() -> None:
    run = run_of(keep_alive={A: False})

    assert found("keep_alive", Piece(requests=20, connections=20), run=run).ok
    result = found("keep_alive", Piece(requests=20, connections=2), run=run)
    assert not result.ok
    assert "should close each after one answer" in result.note
