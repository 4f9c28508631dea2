"""Servers that answer after a known delay: what is measured beyond it is error."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loadtests.selftest import delays
from tests.support.frames import MS, Piece, samples_of


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
