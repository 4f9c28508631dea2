"""The primary family: its intervals are adjusted for how many they are, and next to them stand the plain ones."""

from dataclasses import replace
from math import log

import polars as pl
import pytest
from scipy.stats import t as student

from loadtests.analysis.summary import Comparison
from loadtests.analysis.verdict import summarise
from loadtests.config.profiles import Claim
from tests.support.frames import SCENARIO, A, B, Piece, digested, run_of, samples_of
from tests.support.verdicts import STEADY, comparison_in, verdict_on, versus


def test_the_primary_family_has_adjusted_intervals_next_to_the_plain_ones_that_are_shown() -> None:
    result = verdict_on("throughput_rps", versus(1.5))

    assert result.family == "primary"
    assert (result.low, result.high) == (result.low_single, result.high_single)
    assert widening(result) > 1


def test_the_primary_family_is_the_headline_pairs_costs_where_nothing_waits() -> None:
    names = ("nap", "rest", "sleep")
    claims = (Claim(A, B, "there", headline=True), Claim(B, A, "and back"))
    pieces = [piece for name in names for piece in versus(1.5, scenario=name)]

    run = run_of(scenarios=names, claims=claims, waiting=("sleep",))
    summary = summarise(digested(samples_of(*pieces)), run)

    primary = [one for one in summary.comparisons if one.family == "primary"]
    assert {(one.a, one.scenario, one.metric) for one in primary} == {
        (A, name, metric) for name in ("nap", "rest") for metric in ("throughput_rps", "cpu_us_per_request")
    }
    expected = student.ppf(1 - 0.05 / 4 / 2, len(STEADY) - 1) / student.ppf(0.975, len(STEADY) - 1)
    assert max(map(widening, primary)) == pytest.approx(expected)


def test_the_plain_interval_decides_what_is_exploratory_and_holms_what_is_primary() -> None:
    """Throughput is even, so a test of both at once is Bonferroni's for the other."""
    launches = [1.0, 1.045, 1.02, 1.04, 1.015, 1.05]
    pieces = [
        Piece(name, round=number, cpu_us=cpu_us)
        for number, launch in enumerate(launches)
        for name, cpu_us in ((A, 100.0), (B, 100.0 * launch**2))
    ]
    claims = (Claim("nobody", A, "absent", headline=True), Claim(A, B, "both"))

    primary = verdict_on("cpu_us_per_request", pieces)
    exploratory = verdict_on("cpu_us_per_request", pieces, claims=claims)

    assert (exploratory.family, exploratory.low_adjusted) == ("exploratory", None)
    assert exploratory.finding == "a_slightly_better"
    assert (primary.low, primary.high) == (exploratory.low, exploratory.high)
    assert primary.low_adjusted is not None
    assert primary.low is not None
    assert primary.low_adjusted < primary.low


def test_memory_has_the_same_interval_wherever_it_is_shown() -> None:
    names = ("nap", "rest")
    samples = samples_of(*(piece for name in names for piece in versus(1.5, scenario=name)))
    launch = 1 + pl.col("round") / 50 * (pl.col("contestant") == A)
    breathing = samples.servers.with_columns(pss_kib=(pl.col("pss_kib") * launch).cast(pl.Int64))

    summary = summarise(digested(replace(samples, servers=breathing)), run_of(scenarios=names))

    copies = {(one.ratio, one.low, one.high) for one in summary.comparisons if one.metric == "pss_mib"}
    assert len(copies) == 1


def widening(one: Comparison) -> float:
    """How many times wider than the plain interval the adjusted one is."""
    wide, single = (one.low_adjusted, one.high_adjusted), (one.low_single, one.high_single)
    return log_width(*wide) / log_width(*single)


def log_width(low: float | None, high: float | None) -> float:
    assert low
    assert high
    return log(high / low)


def test_what_is_invalid_does_not_widen_the_intervals_of_the_rest() -> None:
    sound, broken = versus(1.5), versus(1.5, scenario="nap", uncounted=1)
    names = (SCENARIO, "nap")

    alone = summarise(digested(samples_of(*sound)), run_of(scenarios=names))
    beside = summarise(digested(samples_of(*sound, *broken)), run_of(scenarios=names))

    assert comparison_in(beside, "throughput_rps", "nap").verdict == "invalid"
    assert comparison_in(beside, "throughput_rps").low == comparison_in(alone, "throughput_rps").low
