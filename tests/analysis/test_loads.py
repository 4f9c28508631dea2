"""Latency against load, at shares of each server's own throughput."""

import numpy as np

from loadtests.analysis.digest import merge
from loadtests.analysis.loads import loads
from loadtests.analysis.tails import tails_in
from tests.analysis.test_tails import three_digits
from tests.support.frames import SCENARIO, A, B, run_of
from tests.support.latencies import digest_of

TWIN = f"{A}#2"
SHARES = {0.2: 1.0, 0.95: 40.0}


def test_there_is_one_for_each_load_with_both_launches_in_it() -> None:
    parts = [
        digest_of(
            {(number, name): np.full(200, time_ms) for number in range(3) for name in (A, TWIN, B)}, share
        )
        for share, time_ms in SHARES.items()
    ]
    digest = merge([*parts, digest_of({(0, A): np.full(200, 7.0)})])
    run = run_of(A, TWIN, B, twins={TWIN: A})

    found = loads(digest, tails_in(digest, run.seed), {(SCENARIO, B, "curve"): ("late",)}, run)

    assert [(one.contestant, one.own_load, one.samples) for one in found] == [
        (B, 0.2, 600),
        (B, 0.95, 600),
        (A, 0.2, 1200),
        (A, 0.95, 1200),
    ]
    assert [(one.valid, one.reasons) for one in found[1:3]] == [(False, ("late",)), (True, ())]
    high = found[-1]
    assert high.rate_rps == 500
    assert [high.p50_ms, high.p50_low_ms, high.p99_high_ms, high.max_ms] == [three_digits(40.0)] * 4
    assert high.p999_ms is None  # 5,000 would be needed


def test_there_are_none_where_no_such_slice_was_planned() -> None:
    digest = digest_of({(0, A): np.full(200, 7.0)})

    assert loads(digest, tails_in(digest, 0), {}, run_of()) == []
