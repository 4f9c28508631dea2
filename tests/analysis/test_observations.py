"""Observations worked out by hand, from a few requests each."""

import polars as pl
import pytest

from loadtests.analysis.observations import closed_throughput, observe
from loadtests.samples.store import Samples
from tests.support.frames import SCENARIO, A, B, Piece, both_loops, digested, samples_of


def values(samples: Samples, metric: str, contestant: str = A) -> list[float | None]:
    """What was observed of one metric, by round and block."""
    rows = observe(digested(samples)).filter(
        (pl.col("metric") == metric) & (pl.col("contestant") == contestant)
    )
    return rows.sort("scenario", "round", "block")["value"].to_list()


def test_throughput_is_answers_over_the_time_from_first_send_to_last_answer() -> None:
    """20 requests by 2 users, 5 ms each: the last is answered after 50 ms."""
    assert values(samples_of(Piece(requests=20, users=2, service_ms=5.0)), "throughput_rps") == [400.0]


def test_failures_add_to_the_time_and_not_to_the_throughput() -> None:
    pieces = Piece(requests=20, users=2, service_ms=5.0, failed=4)

    assert values(samples_of(pieces), "throughput_rps") == [320.0]


def test_cpu_time_is_shared_among_the_answers() -> None:
    """20 requests at 100 µs, 15 of them answered."""
    assert values(samples_of(Piece(cpu_us=100.0, failed=5)), "cpu_us_per_request") == pytest.approx([400 / 3])


def test_every_closed_slice_is_an_observation_of_its_own() -> None:
    pieces = [Piece(round=round_, block=block) for round_ in (0, 1) for block in (0, 1, 2)]

    rows = observe(digested(samples_of(*pieces))).filter(pl.col("metric") == "throughput_rps")

    assert sorted(rows.select("round", "block").iter_rows()) == [(r, b) for r in (0, 1) for b in (0, 1, 2)]


def test_open_slices_say_nothing_of_throughput() -> None:
    assert values(samples_of(Piece(mode="open")), "throughput_rps") == []


def test_cpu_time_that_was_not_read_is_null_and_throughput_is_not() -> None:
    samples = samples_of(Piece(cpu_us=None))

    assert values(samples, "cpu_us_per_request") == [None]
    assert values(samples, "throughput_rps") == [2000.0]


def test_errors_and_bytes_are_those_of_both_loops() -> None:
    samples = samples_of(*both_loops(requests=50, failed=5, body_bytes=100))

    assert values(samples, "error_percent") == [10.0]
    assert values(samples, "bytes_per_response") == [200.0]  # whole responses, the frames add 100 of headers


def test_memory_is_shown_in_every_scenario_of_its_contestant() -> None:
    samples = samples_of(Piece(), Piece(scenario="ping"), Piece(B), pss_mib={A: 64.0, B: 32.0})

    assert values(samples, "pss_mib") == [64.0, 64.0]
    assert values(samples, "pss_mib", B) == [32.0]


def test_requests_a_connection_are_those_of_the_whole_round() -> None:
    samples = samples_of(Piece(requests=30, connections=2), Piece(scenario="ping", requests=30))

    assert values(samples, "requests_per_connection") == [30.0, 30.0]


def test_without_a_connection_there_are_no_requests_a_connection() -> None:
    assert values(samples_of(Piece()), "requests_per_connection") == [None]


def test_closed_throughput_is_that_of_all_slices_together() -> None:
    """Slow slices count by their time: a server's own load is a share of what it answers in the long run."""
    slices = [Piece(block=block, service_ms=one) for block, one in enumerate((1.0, 2.0, 5.0))]

    found = closed_throughput(digested(samples_of(*slices, Piece(B, failed=20))))

    assert found == {SCENARIO: {A: pytest.approx(60 / 0.08), B: 0.0}}


def test_a_rate_is_set_even_where_every_slice_was_set_aside() -> None:
    stolen = digested(samples_of(Piece(requests=20, users=2, service_ms=5.0, steal=0.9)))

    assert closed_throughput(stolen) == {SCENARIO: {A: 400.0}}
    assert observe(stolen).filter(pl.col("metric") == "throughput_rps").is_empty()


def test_observations_come_in_the_same_order_whatever_the_order_of_the_samples() -> None:
    samples = samples_of(*(piece for round_ in range(6) for piece in both_loops(round=round_)))
    reversed_ = Samples(samples.requests.reverse(), samples.slices.reverse(), samples.servers.reverse())

    assert observe(digested(reversed_)).equals(observe(digested(samples)))


def test_no_samples_give_no_observations() -> None:
    assert observe(digested(samples_of())).is_empty()
