"""The charts of a capacity run: response time against rate, and what a surge does to it."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from loadtests.analysis.summary import Summary
from loadtests.capacity.replay import Replay
from loadtests.capacity.verdict import CAPACITY, grouped, points
from loadtests.plan.search import OVERLOAD, RELIEF, Search, surge_s
from loadtests.report.drawing import GREY, INK, STROKES, Rows, colour, panels, to_svg
from loadtests.report.pairs import scenario_title

HEIGHT = 220
BIN_MS = 100
PERCENTILES = ("p50", "p95", "p99")
DASHES = ([1, 0], [6, 3], [2, 2])


def draw(summary: Summary, replays: Sequence[Replay], rules: Search) -> dict[str, tuple[str, str]]:
    """File name -> (what it shows, the SVG). A chart without data is left out."""
    curves = (
        f"Response time against offered rate; the horizontal line is the SLO of {rules.slo_ms:g} ms, vertical lines"
        " are capacities"
    )
    surges = (
        f"{OVERLOAD:g} times the capacity, and {RELIEF:g} times from the vertical line on: p99 of the response time by"
        " when requests were due"
    )
    charts = {
        "curve.svg": (curves, curve(summary, replays, rules)),
        "surge.svg": (surges, surge(summary, replays, rules)),
    }
    return {name: (caption, to_svg(chart)) for name, (caption, chart) in charts.items() if chart is not None}


def curve(summary: Summary, replays: Sequence[Replay], rules: Search) -> alt.TopLevelMixin | None:
    """One panel per scenario, one line per contestant and percentile, on a logarithmic axis of time."""
    data = curve_rows(summary, replays)
    if not data:
        return None
    y = alt.Y(
        "time_ms:Q", title="response time (ms)", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g")
    )
    dash = alt.StrokeDash(
        "percentile:N",
        title=None,
        sort=list(PERCENTILES),
        legend=alt.Legend(symbolType="stroke"),
        scale=alt.Scale(domain=list(PERCENTILES), range=list(DASHES)),
    )
    base = alt.Chart(alt.InlineData(data))
    lines = base.mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=1.5).encode(
        x=alt.X("rate_rps:Q", title="offered rate (requests/s)"),
        y=y,
        color=colour(data, summary.run.frameworks, STROKES),
        strokeDash=dash,
    )
    slo = base.mark_rule(color=INK, strokeWidth=1).encode(y=alt.datum(rules.slo_ms))
    capacities = (
        base.transform_filter("isValid(datum.capacity_rps)")
        .mark_rule(strokeWidth=1.5, opacity=0.7)
        .encode(x="capacity_rps:Q", color=colour(data, summary.run.frameworks, STROKES))
    )
    return _by_scenario(alt.layer(capacities, slo, lines), data)


def curve_rows(summary: Summary, replays: Sequence[Replay]) -> Rows:
    """One row per rung and percentile, with the contestant's capacity in its first."""
    capacity = {(one.scenario, one.contestant): one.value for one in summary.cells if one.metric == CAPACITY}
    return [
        {
            "scenario": scenario_title(summary, pair[0]),
            "contestant": pair[1],
            "rate_rps": point.rate_rps,
            "percentile": percentile,
            "time_ms": getattr(point, f"{percentile}_ms"),
            "capacity_rps": capacity.get(pair) if place == 0 and percentile == "p50" else None,
        }
        for pair, own in points(grouped(replays)).items()
        for place, point in enumerate(own)
        for percentile in PERCENTILES
    ]


def surge(summary: Summary, replays: Sequence[Replay], rules: Search) -> alt.TopLevelMixin | None:
    """One panel per scenario, one line per contestant: the median over rounds of the p99 in each tenth of a second."""
    data = surge_rows(summary, replays)
    if not data:
        return None
    base = alt.Chart(alt.InlineData(data))
    y = alt.Y("time_ms:Q", title="p99 (ms)", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g"))
    lines = base.mark_line(strokeWidth=1.5).encode(
        x=alt.X("at_s:Q", title="due (s after the start of the overload)"),
        y=y,
        color=colour(data, summary.run.frameworks, STROKES),
    )
    slo = base.mark_rule(color=INK, strokeWidth=1).encode(y=alt.datum(rules.slo_ms))
    end = base.mark_rule(color=GREY, strokeWidth=1.5).encode(x=alt.datum(surge_s(rules)))
    return _by_scenario(alt.layer(end, slo, lines), data)


def surge_rows(summary: Summary, replays: Sequence[Replay]) -> Rows:
    """One row per contestant and tenth of a second with an answer."""
    frames = [
        one.surge.drop_nulls().select(
            pl.lit(one.search.scenario).alias("scenario"),
            pl.lit(one.search.contestant).alias("contestant"),
            pl.lit(one.round).alias("round"),
            (pl.col("at_ms") // BIN_MS * BIN_MS / 1000).alias("at_s"),
            "time_ms",
        )
        for one in replays
    ]
    if not frames:
        return []
    keys = ["scenario", "contestant", "at_s"]
    tails = pl.concat(frames).group_by(*keys, "round").agg(pl.col("time_ms").quantile(0.99, "linear"))
    medians = tails.group_by(keys).agg(pl.col("time_ms").median()).sort(keys)
    return [{**row, "scenario": scenario_title(summary, row["scenario"])} for row in medians.to_dicts()]


def _by_scenario(layers: alt.LayerChart | alt.FacetChart, data: Rows) -> alt.TopLevelMixin:
    return panels(layers, "scenario", list(dict.fromkeys(row["scenario"] for row in data)), height=HEIGHT)
