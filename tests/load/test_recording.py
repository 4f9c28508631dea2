import gzip

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.config.profiles import Arrivals
from loadtests.load.recording import BODY_CHARACTERS, Kept, Row, answers_frame, requests_frame
from loadtests.load.requests import Prepared
from loadtests.plan.arrivals import arrivals_ns, constant_arrivals_ns, poisson_arrivals_ns, surge_ns
from loadtests.samples.store import ANSWERS, REQUESTS, Failure

PING = Prepared(b"", status=200, keys=("message",))
ORDER = Prepared(b"", status=201, keys=("id", "lines"))


def row(status: int = 200, variant: int = 0, failure: Failure = Failure.NONE) -> Row:
    return Row(10, 11, 15, status, 100, 18, variant, failure)


def failures(rows: list[Row], *kept: Kept) -> list[int]:
    return requests_frame(0, rows, [PING, ORDER], kept)["failure"].to_list()


def fit(body: bytes, wanted: Prepared) -> bool:
    sent = [row(wanted.status)]
    return bool(answers_frame(0, [Kept(0, 0, body)], sent, [wanted])["fits"][0])


def test_arrivals_come_at_the_rate_asked_for() -> None:
    arrivals = np.array(poisson_arrivals_ns(2000, 10.0, (1,)))

    assert len(arrivals) == pytest.approx(20_000, rel=0.03)
    assert (np.diff(arrivals) >= 0).all()
    assert arrivals[0] >= 0
    assert arrivals[-1] < 10e9


def test_gaps_between_arrivals_are_exponential() -> None:
    gaps = np.diff(poisson_arrivals_ns(2000, 10.0, (2,)))

    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.05)
    assert (gaps > gaps.mean()).mean() == pytest.approx(np.exp(-1), abs=0.02)


def test_equal_seeds_give_equal_arrivals() -> None:
    assert poisson_arrivals_ns(100, 1.0, (3, 0)) == poisson_arrivals_ns(100, 1.0, (3, 0))
    assert poisson_arrivals_ns(100, 1.0, (3, 0)) != poisson_arrivals_ns(100, 1.0, (3, 1))


def test_a_warm_up_of_no_time_has_no_arrivals() -> None:
    assert poisson_arrivals_ns(100, 0.0, (1,)) == []


@given(st.floats(0.5, 50_000), st.floats(0, 2), st.integers(0, 2**32))
def test_constant_arrivals_are_evenly_spaced_to_the_nanosecond(
    rate_rps: float, span_s: float, seed: int
) -> None:
    arrivals = np.array(constant_arrivals_ns(rate_rps, span_s, (seed,)))

    assert abs(len(arrivals) - rate_rps * span_s) <= 1
    assert (np.abs(np.diff(arrivals) - 1e9 / rate_rps) <= 1).all()
    assert (arrivals >= 0).all()
    assert (arrivals <= span_s * 1e9).all()


def test_the_phase_of_constant_arrivals_is_drawn_from_the_seed() -> None:
    phases = [constant_arrivals_ns(10, 1.0, (seed,))[0] for seed in range(200)]

    assert constant_arrivals_ns(10, 1.0, (3,))[0] == phases[3]
    assert np.mean(phases) == pytest.approx(50e6, rel=0.15)
    assert 0 <= min(phases) < 5e6
    assert 95e6 < max(phases) < 100e6


def test_no_rate_has_no_arrivals() -> None:
    assert constant_arrivals_ns(0.0, 1.0, (1,)) == []


def test_the_kind_of_arrivals_is_chosen_by_name() -> None:
    assert arrivals_ns("poisson", 100, 1.0, (5,)) == poisson_arrivals_ns(100, 1.0, (5,))
    assert arrivals_ns("constant", 100, 1.0, (5,)) == constant_arrivals_ns(100, 1.0, (5,))


@pytest.mark.parametrize("kind", ["poisson", "constant"])
def test_a_surge_goes_over_into_its_relief_without_a_pause(kind: Arrivals) -> None:
    arrivals = np.array(surge_ns(kind, (3000, 1000), (2.0, 4.0), (5,)))

    assert (np.diff(arrivals) >= 0).all()
    assert (arrivals < 2e9).sum() == pytest.approx(6000, rel=0.06)
    assert (arrivals >= 2e9).sum() == pytest.approx(4000, rel=0.06)
    assert arrivals[-1] < 6e9


def test_a_frame_has_the_schema_and_a_row_a_request() -> None:
    frame = requests_frame(7, [row(), row(201, variant=1)], [PING, ORDER])

    assert frame.schema == pl.Schema(REQUESTS)
    assert frame.row(1) == (7, 10, 11, 15, 201, 100, 18, 1, 0)


def test_a_slice_without_requests_is_an_empty_frame() -> None:
    assert requests_frame(0, [], [PING]).schema == pl.Schema(REQUESTS)


def test_another_status_than_wanted_is_a_failure() -> None:
    assert failures([row(200), row(500), row(200, variant=1), row(201, variant=1)]) == [0, 5, 5, 0]


def test_a_request_that_failed_keeps_its_failure() -> None:
    assert failures([row(0, failure=Failure.TIMEOUT), row(0, failure=Failure.CONNECT)]) == [3, 1]


def test_a_kept_body_that_is_wrong_makes_its_own_request_a_failure() -> None:
    rows = [row(), row(0, failure=Failure.RESET), row(), row()]
    good, bad = b'{"message":"pong"}', b'{"text":"pong"}'

    assert failures(rows, Kept(0, 0, good), Kept(3, 2, bad)) == [0, 2, 6, 0]
    assert failures([row(500)], Kept(0, 0, bad)) == [5]  # its status says enough


@pytest.mark.parametrize(
    ("body", "is_fit"),
    [
        (b'{"message":"pong"}', True),
        (b'{"message":"pong","more":1}', True),
        (b'{"text":"pong"}', False),
        (b'["message"]', False),
        (b"pong", False),
        (b"", False),
        (b"\xff", False),
        (gzip.compress(b'{"message":"pong"}', mtime=0), True),
        (gzip.compress(b'{"text":"pong"}', mtime=0), False),
        (gzip.compress(b'{"message":"pong"}', mtime=0)[:-9], False),
        (b"\x1f\x8bpong", False),
    ],
)
def test_a_body_must_be_json_with_the_wanted_keys(body: bytes, is_fit: bool) -> None:
    assert fit(body, PING) is is_fit


def test_where_no_keys_are_wanted_an_empty_body_will_do() -> None:
    anything = Prepared(b"", status=204, keys=())

    assert fit(b"", anything)
    assert fit(b"[1]", anything)
    assert not fit(b"{", anything)


def test_kept_answers_are_rows_by_their_place_in_the_slice() -> None:
    """Rows come in the order of the answers: here the second request was answered first."""
    late = Row(10, 20, 30, 201, 100, 18, 1, Failure.NONE)
    early = Row(10, 11, 40, 200, 100, 18, 0, Failure.NONE)
    kept = [Kept(1, 0, b'{"lines":[],"id":3}'), Kept(0, 1, b'{"message":"pong"}')]

    frame = answers_frame(7, kept, [late, early], [PING, ORDER])

    assert frame.schema == pl.Schema(ANSWERS)
    assert frame.select("slice", "place", "variant", "status", "fits", "body").rows() == [
        (7, 0, 0, 200, True, '{"message":"pong"}'),
        (7, 1, 1, 201, True, '{"id":3,"lines":[]}'),
    ]


def answer_to(request: Prepared, body: bytes, status: int = 200) -> dict[str, object]:
    return answers_frame(0, [Kept(0, 0, body)], [row(status)], [request]).row(0, named=True)


def test_equal_answers_have_equal_digests_whatever_varies() -> None:
    order = Prepared(b"", status=200, keys=("id",), varies=("/id",))

    assert answer_to(order, b'{"id":1,"n":2}')["digest"] == answer_to(order, b'{"n":2, "id":5}')["digest"]
    assert answer_to(order, b'{"id":1,"n":2}')["digest"] != answer_to(order, b'{"id":1,"n":3}')["digest"]


def test_a_kept_answer_without_the_wanted_keys_does_not_fit_unless_its_status_says_so_already() -> None:
    assert answer_to(PING, b'{"text":"pong"}')["fits"] is False
    assert answer_to(PING, b'{"text":"no"}', status=500)["fits"] is None


def test_a_long_body_is_kept_in_part_and_compared_whole() -> None:
    page = Prepared(b"", status=200, keys=(), json=False)
    one, other = (answer_to(page, b"x" * BODY_CHARACTERS + end) for end in (b"1", b"2"))

    assert one["body"] == other["body"] == "x" * BODY_CHARACTERS
    assert one["digest"] != other["digest"]


def test_no_kept_answers_are_an_empty_frame() -> None:
    assert answers_frame(0, [], [row()], [PING]).equals(pl.DataFrame(schema=dict(ANSWERS)))
