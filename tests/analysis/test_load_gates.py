"""Gates on the load: offered, sent in time, by users who were free."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from loadtests.samples.store import Samples
from tests.support.frames import (
    MS,
    Piece,
    samples_of,
)
from tests.support.gates import found, late, looked_at


def queued(users: int, gap_ms: float, service_ms: np.ndarray[Any, Any], own_ms: float = 0.0) -> Samples:
    """An open slice whose generator sends as soon as the request is due and a user is free, and `own_ms` later."""
    free_ms, rows = [0.0] * users, []
    for place, takes_ms in enumerate(service_ms):
        due = place * gap_ms
        sent = max(due, min(free_ms)) + own_ms
        free_ms[free_ms.index(min(free_ms))] = sent + takes_ms
        rows.append((due, sent, sent + takes_ms))
    samples = samples_of(Piece(mode="open", users=users, requests=len(rows)))
    times = pl.DataFrame(rows, ["due_ns", "sent_ns", "end_ns"], orient="row")
    return replace(samples, requests=samples.requests.with_columns((times * MS).cast(pl.Int64)))


def test_times_cannot_add_up_to_more_than_the_users_had() -> None:
    samples = samples_of(Piece(users=2))
    overlapping = samples.slices.with_columns(concurrency=pl.lit(1, pl.Int32))  # a second user at work

    assert looked_at(samples)["littles_law"].value == 0.0
    result = looked_at(replace(samples, slices=overlapping))["littles_law"]
    assert (result.ok, result.value) == (False, 100.0)
    assert result.note == "request times add up to +100.0 % of users x time"


def test_times_that_add_up_to_less_mean_that_users_were_idle() -> None:
    samples = samples_of(Piece(users=4))
    idle = samples.requests.filter(pl.int_range(pl.len()) % 4 != 3)  # what one of four users did is missing

    result = looked_at(replace(samples, requests=idle))["littles_law"]

    assert not result.ok
    assert result.value == pytest.approx(-25)


def test_what_is_answered_after_the_stop_counts_until_the_stop() -> None:
    samples = samples_of(Piece(users=2, requests=20, service_ms=1.0))
    sooner = samples.slices.with_columns(stop_ns=pl.col("stop_ns") - 500_000)

    assert looked_at(replace(samples, slices=sooner))["littles_law"].value == 0.0


@pytest.mark.parametrize(("lag_ms", "ok"), [(0.2, True), (0.3, False)])
def test_where_there_are_too_few_answers_for_p95_the_half_alone_is_judged(lag_ms: float, ok: bool) -> None:
    result = found("send_lag", Piece(mode="open", requests=40, users=16, gap_ms=5.0, lag_ms=lag_ms))

    assert result.ok == ok
    assert result.value == pytest.approx(100 * lag_ms, rel=1e-3)


@pytest.mark.parametrize(("requests", "ok"), [(4, True), (10, False)])
def test_late_sends_with_a_user_free_are_the_generators_fault(requests: int, ok: bool) -> None:
    result = looked_at(late(requests, by_ms=3.0))["send_lag"]

    assert result.ok == ok


def test_a_lag_is_held_against_the_service_time_and_no_floor_hides_it() -> None:
    slow, fast = (looked_at(late(10, by_ms=0.9, service_ms=ms))["send_lag"] for ms in (8.0, 1.0))

    assert slow.ok
    assert slow.value == pytest.approx(100 * 0.9 / 8.0, rel=1e-2)
    assert fast.ok is False
    assert fast.note == "sent 0.90 ms late at p95, 90 % of the service time of 1.00 ms"


def test_late_sends_while_all_users_wait_for_the_server_do_not_trip() -> None:
    overloaded = looked_at(queued(users=4, gap_ms=1.0, service_ms=np.full(200, 8.0)))["send_lag"]

    assert overloaded.ok
    assert overloaded.value == pytest.approx(0)


def test_one_slow_answer_that_holds_a_user_up_is_not_blamed_on_the_generator() -> None:
    service_ms = np.where(np.arange(300) % 50 == 0, 80.0, 2.5)  # answers overtake each other

    result = looked_at(queued(users=2, gap_ms=2.0, service_ms=service_ms))["send_lag"]

    assert result.ok
    assert result.value == pytest.approx(0)


def test_a_generator_that_cannot_keep_up_is_not_excused_by_its_own_backlog() -> None:
    result = looked_at(queued(users=2, gap_ms=1.0, service_ms=np.full(300, 0.5), own_ms=3.0))["send_lag"]

    assert result.ok is False
    assert result.value == pytest.approx(600, rel=0.01)
