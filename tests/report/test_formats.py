"""How numbers, durations and factors are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.report import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0"),
        (0.01234, "0.0123"),
        (1.826, "1.83"),
        (12.34, "12.3"),
        (118.4, "118"),
        (12345.6, "12,346"),
    ],
)
def test_numbers_have_three_significant_digits_and_nothing_is_never_zero(
    value: float | None, text: str
) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(38.4, "38 s"), (60, "1 min"), (285, "4 min 45 s"), (3600, "1 h"), (7380, "2 h 3 min")],
)
def test_durations_are_told_in_the_units_of_everyday(seconds: float, text: str) -> None:
    assert formats.duration(seconds) == text


@given(st.floats(0.001, 1000))
def test_a_factor_is_the_same_whichever_side_is_above(ratio: float) -> None:
    assert formats.factor(ratio) == formats.factor(1 / ratio)
    assert float(formats.factor(ratio)) >= 1
