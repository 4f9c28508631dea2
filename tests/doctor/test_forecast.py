"""Noise that is known, and the differences that runs of some length would see."""

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator

from loadtests.analysis.estimates import FloatArray, paired_ratio
from loadtests.config.profiles import Profile
from loadtests.config.selection import Options, select
from loadtests.doctor import forecast, noise
from loadtests.doctor.forecast import AaSpread
from loadtests.plan.plan import Plan, make_plan


def rounds_of_noise(
    rng: Generator, rounds: int, blocks: int, launches: float = 0.0, noise: float = 0.1
) -> list[FloatArray]:
    """Log ratios of equal servers: each round's launches shift all of its blocks."""
    return [rng.normal(rng.normal(0, launches), noise, blocks) for _ in range(rounds)]


def seen(rounds: list[FloatArray]) -> AaSpread:
    found = forecast.aa_spread(rounds)
    assert found is not None
    return found


def test_too_few_rounds_give_no_noise() -> None:
    assert forecast.aa_spread([np.zeros(5), np.zeros(5)]) is None
    assert forecast.aa_spread([np.zeros(5), np.zeros(5), np.zeros(0)]) is None


@pytest.mark.parametrize("blocks", [11, 40])
def test_a_few_short_rounds_tell_how_much_the_blocks_of_larger_ones_add(blocks: int) -> None:
    """On average over many looks, against the spread of medians that are drawn from the same noise."""
    rng = np.random.default_rng(1)
    true = float(np.median(rng.normal(0, 0.1, (20_000, blocks)), axis=1).std())

    looks = [seen(rounds_of_noise(rng, 5, 11)) for _ in range(60)]

    found = [forecast.median_spread(one.residuals, blocks, rng) for one in looks]
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(true, rel=0.1)


def test_rounds_that_spread_no_more_than_chance_hold_nothing_against_launches() -> None:
    rng = np.random.default_rng(2)

    looks = [seen(rounds_of_noise(rng, 5, 11)) for _ in range(100)]

    blamed = [one for one in looks if one.launches > forecast.LAUNCH_SPREAD]
    assert len(blamed) <= 15  # 5 are expected of a test at 5 %


def test_what_launches_add_stays_however_large_the_rounds() -> None:
    found = seen(rounds_of_noise(np.random.default_rng(2), rounds=300, blocks=12, launches=0.08, noise=0.05))

    assert found.launches == pytest.approx(0.08, rel=0.15)
    assert found.round_spread(4000) == pytest.approx(found.launches, rel=0.01)


def test_no_noise_at_all_leaves_what_launches_differ_by() -> None:
    found = seen([np.full(5, 0.02) for _ in range(4)])

    assert found.spread == pytest.approx(0)
    assert found.round_spread(5) == pytest.approx(forecast.LAUNCH_SPREAD)
    assert found.ratio == pytest.approx(np.exp(0.02))


def plan_of(blocks: int, max_rounds: int = 1000) -> Plan:
    profile = Profile(
        name="quick",
        title="",
        budget_s=600,
        max_rounds=max_rounds,
        warmup_ms=0,
        open_load=0.5,
        margin=0.03,
        steal_limit_percent=30,
        twins=(),
    )
    return replace(make_plan(profile, 0, (), (), ()), blocks=blocks)


def test_the_width_falls_with_the_root_of_the_rounds() -> None:
    spread = seen(rounds_of_noise(np.random.default_rng(3), 6, 10))

    short, long = (forecast.forecast(spread, plan_of(10), 10.0, usable_s) for usable_s in (1000.0, 4000.0))

    assert short is not None
    assert long is not None
    assert (short.rounds, long.rounds) == (100, 400)
    assert short.half_width / long.half_width == pytest.approx(2, rel=0.02)
    assert short.visible / long.visible == pytest.approx(2, rel=0.02)


def test_no_more_rounds_are_counted_on_than_the_profile_allows_and_none_than_an_interval_needs() -> None:
    spread = seen(rounds_of_noise(np.random.default_rng(4), 6, 10))

    capped = forecast.forecast(spread, plan_of(10, max_rounds=7), 10.0, 1000.0)

    assert capped is not None
    assert capped.rounds == 7
    assert forecast.forecast(spread, plan_of(10), 10.0, 29.0) is None


def test_forecast_widths_are_those_that_simulated_runs_have_and_four_in_five_see_the_difference() -> None:
    """Five short rounds are looked at, as the command does; then runs of nine larger ones are simulated."""
    rng = np.random.default_rng(5)
    spread = AaSpread(1.0, 5, 0.0, 0.01, np.concatenate(rounds_of_noise(rng, 40, 11)))
    made = forecast.forecast(spread, plan_of(40), 10.0, 95.0)
    assert made is not None

    runs = [simulated(rng, made.visible) for _ in range(600)]

    widths = [(np.log(high) - np.log(low)) / 2 for low, high in runs]
    assert np.median(widths) == pytest.approx(made.half_width, rel=0.1)
    assert np.mean([low > 1 for low, _ in runs]) == pytest.approx(forecast.POWER, abs=0.07)


def simulated(rng: Generator, difference: float) -> tuple[float, float]:
    rounds = [blocks + np.log1p(difference) for blocks in rounds_of_noise(rng, 9, 40, launches=0.01)]
    low, high = paired_ratio(rounds).interval()
    assert low is not None
    assert high is not None
    return low, high


def test_a_longer_run_of_the_catalog_sees_smaller_differences() -> None:
    made = noise.forecasts(seen(rounds_of_noise(np.random.default_rng(6), 5, 11, noise=0.2)))

    assert [one.budget_s for one in made] == [300, 600, 1800]
    assert made[0].visible > made[1].visible > made[2].visible > 0
    assert all(one.half_width < one.visible for one in made)


def test_the_pair_of_the_forecast_is_in_the_catalog() -> None:
    chosen = select(Options(contestants=noise.PAIR, scenarios=(noise.PAIRS_SCENARIO,)))

    assert {one.name for one in chosen.contestants} == {*noise.PAIR}


def test_a_server_is_measured_against_itself_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/shop")
    told: list[int] = []

    ratios = noise.measure(rounds=3, blocks=2, on_round=told.append)

    assert [len(one) for one in ratios] == [2, 2, 2]
    assert np.isfinite(np.concatenate(ratios)).all()
    assert told == [1, 2, 3]
    assert re.match(
        r"One bare server .* 3 rounds: \d\.\d+ times the CPU", forecast.describe_spread(seen(ratios))
    )
