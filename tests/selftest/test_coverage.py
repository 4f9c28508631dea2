"""How often intervals have to hold the truth in simulated runs."""

from dataclasses import replace

from loadtests.selftest import coverage


def test_coverage_outside_its_limits_fails_the_check() -> None:
    good = coverage.Row("a", 1.0, 2.0, 0.0, 6, 8, coverage_percent=95.0)

    assert coverage.judged([good]).ok
    assert not coverage.judged([good, replace(good, coverage_percent=92.9)]).ok
    assert coverage.judged([]).ok is None
