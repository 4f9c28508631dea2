"""The charts as SVG text: drawn by Altair, rendered by vl-convert, without a browser or the network."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from loadtests.analysis.digest import Digest
from loadtests.analysis.observations import observe
from loadtests.analysis.summary import Cell, Comparison, Summary
from loadtests.config.metrics import PER_PROCESS
from loadtests.report import words
from loadtests.report.drawing import (
    COLOURS,
    GREY,
    INK,
    Rows,
    chart,
    colour,
    contestants,
    panels,
    to_svg,
)
from loadtests.report.pairs import Pair, main_pair, scenario_title
from loadtests.report.tables import Kind, kind_of

WIDEST = 8  # ratios and intervals beyond are cut off: one wide interval must not squeeze all others


def draw(summary: Summary, digest: Digest) -> dict[str, tuple[str, str]]:
    """File name -> (what it shows, the SVG). A chart without data is left out."""
    pair = main_pair(summary)
    charts = {
        "headline.svg": (
            "Every ratio with its plain 95 % interval; the band is the margin",
            headline(summary, pair),
        ),
        "cpu.svg": ("CPU time per request, pauses included, with its plain 95 % interval", cpu(summary)),
        "latency.svg": (
            "Response times at the same arrival rate for all, pooled over rounds, by percentile",
            latency(summary),
        ),
        "loads.svg": (
            "Response times at shares of each server's own throughput, pooled over rounds",
            loads(summary),
        ),
        "rounds.svg": (
            "Throughput ratio of every block; a bar is the median of its round",
            rounds(summary, pair, digest),
        ),
    }
    return {name: (caption, to_svg(chart)) for name, (caption, chart) in charts.items() if chart is not None}


def headline(summary: Summary, pair: Pair | None) -> alt.TopLevelMixin | None:
    """A forest plot: one panel per metric, one row per scenario, a logarithmic axis with the margin around 1."""
    data = _ratio_rows(summary, pair) if pair else []
    if not pair or not data:
        return None
    low, high = min(row["low"] for row in data), max(row["high"] for row in data)
    domain = [max(min(low, 1 / 1.1) / 1.05, 1 / WIDEST), min(max(high, 1.1) * 1.05, WIDEST)]
    axis = alt.Axis(values=_ticks(*domain), format="~g")
    x = alt.X(
        "ratio:Q",
        title=f"{pair.long[0]} / {pair.long[1]}",
        scale=alt.Scale(type="log", domain=domain, nice=False, clamp=True),
        axis=axis,
    )
    y = alt.Y("scenario:N", title=None, sort=None)
    kinds = {kind: word for kind, word in _kinds(pair).items() if any(row["verdict"] == word for row in data)}
    scale = alt.Scale(domain=list(kinds.values()), range=[COLOURS[kind] for kind in kinds])
    colour = alt.Color("verdict:N", title=None, scale=scale)
    base = chart(data)
    layers = alt.layer(
        base.mark_rect(color=GREY, opacity=0.06).encode(x=alt.X("margin_low:Q"), x2="margin_high:Q"),
        base.mark_rule(color=GREY).encode(x=alt.datum(1)),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour),
    )
    return panels(layers, "metric", [words.metric_title(metric) for metric in pair.metrics], step=20)


def _ratio_rows(summary: Summary, pair: Pair) -> Rows:
    """What is measured once per process comes last, once; figures of scenarios that wait follow from other things."""
    kinds = _kinds(pair)
    scenarios = [one for one in pair.scenarios if one not in summary.run.waiting]
    found = [
        one
        for metric in pair.metrics
        if metric not in PER_PROCESS
        for scenario in scenarios
        if (one := pair.find(scenario, metric))
    ]
    return [_ratio_row(summary, one, kinds) for one in (*found, pair.memory) if one and one.ratio is not None]


def _ratio_row(summary: Summary, one: Comparison, kinds: Mapping[Kind, str]) -> dict[str, Any]:
    return {
        "scenario": "once per server" if one.metric in PER_PROCESS else scenario_title(summary, one.scenario),
        "metric": words.metric_title(one.metric),
        "ratio": one.ratio,
        "low": one.ratio if one.low is None else one.low,
        "high": one.ratio if one.high is None else one.high,
        "margin_low": 1 / (1 + one.margin),
        "margin_high": 1 + one.margin,
        "verdict": kinds[kind_of(one)],
    }


def _kinds(pair: Pair) -> dict[Kind, str]:
    a, b = pair.short
    return {
        "a_better": f"{a} better",
        "a_slightly_better": f"{a} slightly better",
        "b_better": f"{b} better",
        "b_slightly_better": f"{b} slightly better",
        "equivalent": "equivalent",
        "about_equal": "about equal",
        "undecided": "too noisy to say",
        "invalid": "invalid",
    }


def _ticks(low: float, high: float) -> list[float]:
    """Round values of a logarithmic axis, finer where it is short."""
    coarse = [m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5)]
    fine = [*coarse, *(m * 10.0**e for e in range(-3, 5) for m in (1.5, 3, 4, 7))]
    finest = [*fine, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2]
    for values in (coarse, fine, finest):
        inside = sorted(value for value in values if low <= value <= high)
        if len(inside) >= 5:
            return inside
    return inside


def cpu(summary: Summary) -> alt.TopLevelMixin | None:
    """One panel per scenario, one bar per contestant: CPU microseconds per request, with the 95 % interval."""
    data = [_figure_row(summary, one) for one in _trusted(summary, "cpu_us_per_request")]
    if not data:
        return None
    base = chart(data)
    y = alt.Y("contestant:N", title=None, sort=contestants(data, summary.run.frameworks))
    bars = base.mark_bar(height={"band": 0.7}, opacity=0.8).encode(
        x=alt.X("value:Q", title="µs of CPU time per request"),
        y=y,
        color=colour(data, summary.run.frameworks, legend=None),
    )
    spans = base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("low:Q"), x2="high:Q", y=y)
    return panels(alt.layer(bars, spans), "scenario", _scenarios(data), step=20)


def latency(summary: Summary) -> alt.TopLevelMixin | None:
    """One panel per scenario, one row per percentile, one mark per contestant, on a logarithmic axis."""
    percentiles = {"p50": "p50", "p95": "p95", "p99": "p99", "p999": "p99.9", "max": "longest"}
    data = [
        {**_figure_row(summary, one), "percentile": title}
        for percentile, title in percentiles.items()
        for one in _trusted(summary, f"response_{percentile}_ms")
    ]
    if not data:
        return None
    names = contestants(data, summary.run.frameworks)
    x = alt.X(
        "value:Q",
        title="response time (ms)",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~g", tickCount=6),
    )
    shape = alt.Shape("contestant:N", title=None, scale=alt.Scale(domain=names))
    points = (
        chart(data)
        .mark_point(filled=True, size=70, opacity=0.85)
        .encode(
            x=x,
            y=alt.Y("percentile:N", title=None, sort=list(percentiles.values())),
            color=colour(data, summary.run.frameworks),
            shape=shape,
        )
    )
    return panels(alt.layer(points), "scenario", _scenarios(data), step=22)


def loads(summary: Summary) -> alt.TopLevelMixin | None:
    """One panel per scenario: p50 and p99 against the share of a server's own throughput, a line per contestant."""
    data = [
        {
            "scenario": scenario_title(summary, one.scenario),
            "contestant": one.contestant,
            "load": 100 * one.own_load,
            "percentile": percentile,
            "ms": value_ms,
        }
        for one in summary.loads
        for percentile, value_ms in (("p50", one.p50_ms), ("p99", one.p99_ms))
        if one.valid and value_ms is not None
    ]
    if not data:
        return None
    shares = sorted({100 * one.own_load for one in summary.loads})
    x = alt.X("load:Q", title="% of its own throughput", scale=alt.Scale(domain=[0, 100]))
    lines = (
        chart(data)
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=x.axis(values=shares, format="d", grid=False),
            y=alt.Y(
                "ms:Q",
                title="p50, dashed p99 (ms)",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="~g", tickCount=5),
            ),
            color=colour(data, summary.run.frameworks),
            strokeDash=alt.StrokeDash("percentile:N", sort=["p50", "p99"], legend=None),
        )
    )
    return panels(alt.layer(lines), "scenario", _scenarios(data), height=180)


def rounds(summary: Summary, pair: Pair | None, digest: Digest) -> alt.TopLevelMixin | None:
    """One panel per scenario: one dot per block, one bar per round's median, so that the spread is seen."""
    data = block_ratios(summary, pair, digest) if pair else []
    if not data:
        return None
    base = chart(data)
    x = alt.X("round:O", title="round", axis=alt.Axis(labelAngle=0, labelOverlap=True, grid=False))
    scale = alt.Scale(type="log", nice=False, padding=6)
    y = alt.Y("ratio:Q", title=None, scale=scale, axis=alt.Axis(format="~g", tickCount=4))
    dots = base.mark_circle(size=18, opacity=0.5, color=COLOURS["b_better"]).encode(x=x, y=y)
    medians = base.mark_tick(thickness=2.5, color=COLOURS["a_better"]).encode(x=x, y=alt.Y("median(ratio):Q"))
    return panels(alt.layer(dots, medians), "scenario", _scenarios(data), height=90)


def block_ratios(summary: Summary, pair: Pair, digest: Digest) -> Rows:
    """The throughput ratio of every block that both contestants answered; rounds count from 1."""
    seen = observe(digest).filter(pl.col("metric") == "throughput_rps").drop_nulls("value")
    keys = ["scenario", "round", "block"]
    a, b = (seen.filter(pl.col("contestant") == name).select(*keys, "value") for name in (pair.a, pair.b))
    paired = a.join(b, on=keys).filter((pl.col("value") > 0) & (pl.col("value_right") > 0))
    order = {name: place for place, name in enumerate(pair.scenarios)}
    rows = sorted(paired.iter_rows(), key=lambda row: (order.get(row[0], len(order)), row[1:3]))
    return [
        {"scenario": scenario_title(summary, scenario), "round": index + 1, "ratio": over / under}
        for scenario, index, _, over, under in rows
    ]


def _trusted(summary: Summary, metric: str) -> list[Cell]:
    """Cells that may be shown as evidence; second launches have a table of their own."""
    order: dict[str, int] = {name: place for place, name in enumerate(summary.run.scenarios)}
    cells = [one for one in summary.cells if one.metric == metric and one.value is not None and one.valid]
    return sorted(
        (one for one in cells if one.contestant not in summary.run.twins),
        key=lambda one: order.get(one.scenario, len(order)),
    )


def _figure_row(summary: Summary, one: Cell) -> dict[str, Any]:
    return {
        "scenario": scenario_title(summary, one.scenario),
        "contestant": one.contestant,
        "value": one.value,
        "low": one.value if one.low is None else one.low,
        "high": one.value if one.high is None else one.high,
    }


def _scenarios(data: Rows) -> list[str]:
    return list(dict.fromkeys(row["scenario"] for row in data))
