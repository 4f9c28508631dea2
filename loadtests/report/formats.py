"""How numbers look: the one place where a figure becomes text. None is an em dash, never 0."""

from datetime import datetime
from math import ceil, floor, log10

MISSING = "—"
_NEAR_ONE = 0.0005


def number(value: float | None) -> str:
    """Three significant digits, whole from 100 on, with thousands separators: `0.0123`, `1.83`, `12,345`."""
    if value is None:
        return MISSING
    if value == 0:
        return "0"
    decimals = max(0, 2 - floor(log10(abs(value))))
    return f"{value:,.{min(decimals, 6)}f}"


def ratio(value: float | None) -> str:
    """`1.83`; one more digit next to 1, so that 1.004 is not read as no difference at all."""
    text = number(value)
    next_to_one = value is not None and text in {"1.00", "1.000"} and abs(value - 1) >= _NEAR_ONE
    return f"{value:.3f}" if next_to_one else text


def interval(low: float | None, high: float | None) -> str:
    """`1.71 to 1.96`, of ratios."""
    return MISSING if low is None or high is None else f"{ratio(low)} to {ratio(high)}"


def span(low: float | None, high: float | None) -> str:
    """`112 to 118`, of measured figures."""
    return MISSING if low is None or high is None else f"{number(low)} to {number(high)}"


def factor(value: float) -> str:
    """A ratio as a factor of at least 1 and of few digits, for sentences: `1.04`, `1.8`, `12`."""
    size = max(value, 1 / value)
    decimals = 2 if size < 1.1 else 1 if size < 10 else 0
    return f"{size:.{decimals}f}"


def quantity(value: float | None, unit: str) -> str:
    """A figure with its unit: `118 µs`."""
    return MISSING if value is None else f"{number(value)} {unit}"


def share(fraction: float) -> str:
    """A fraction in percent: `3 %`."""
    return f"{100 * fraction:.3g} %"


def at_most(fraction: float) -> str:
    """A fraction in percent, rounded up to a tenth, for bounds: `5.2 %`."""
    return f"{ceil(round(1000 * fraction, 6)) / 10:g} %"


def percent(value: float | None) -> str:
    """Percent as measured: `12.3 %`."""
    return quantity(value, "%")


def duration(seconds: float) -> str:
    """`38 s`, `4 min 45 s`, `2 h 3 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(stamp: str | None) -> str:
    """An ISO 8601 time as `2026-03-01 14:05 UTC`; what is no such time is shown as it is."""
    if not stamp:
        return MISSING
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    return f"{at:%Y-%m-%d %H:%M} {at.tzname() or ''}".rstrip()
