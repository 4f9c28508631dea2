"""What all charts share: colours, how they become SVG, panels below each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from loadtests.analysis.summary import BARE
from loadtests.report.tables import Kind

INK, GREY = "#24292f", "#8a8f98"
COLOURS: Mapping[Kind, str] = {
    "a_better": "#d9772b",
    "a_slightly_better": "#f0a661",
    "b_slightly_better": "#7fb9e0",
    "b_better": "#2f86c1",
    "equivalent": "#4f9a5b",
    "about_equal": "#9cc7a3",
    "undecided": GREY,
    "invalid": "#b8bcc4",
}
FAMILIES: Mapping[str, Sequence[str]] = {
    "flask": ("#d9772b", "#f0a661", "#a34f10", "#f6cfa6"),
    "fastapi": ("#2f86c1", "#7fb9e0", "#1b5f91", "#b9d9ef"),
    BARE: ("#8a8f98", "#b8bcc4", "#5c6470", "#d8dce2", "#3a404a"),
}
OTHERS = ("#4f9a5b", "#b0579c", "#c9a227", "#6c6fc4", "#5aa9a3")
WIDTH = 500
CIRCLES, STROKES = alt.Legend(symbolType="circle"), alt.Legend(symbolType="stroke")
Rows = list[dict[str, Any]]


def to_svg(chart: alt.TopLevelMixin) -> str:
    """SVG with one ink colour for text and lines, and no background."""
    axis = {"labelColor": INK, "titleColor": INK, "domainColor": GREY, "tickColor": GREY, "gridColor": GREY}
    config = {
        "background": "transparent",
        "padding": {
            "left": 60,
            "right": 20,
            "top": 5,
            "bottom": 5,
        },  # a browser's font may be wider than ours
        "font": "system-ui, sans-serif",
        "view": {"stroke": GREY, "strokeOpacity": 0.4},
        "axis": {
            **axis,
            "gridOpacity": 0.25,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "labelLimit": 220,
        },
        "legend": {
            "labelColor": INK,
            "titleColor": INK,
            "labelFontSize": 12,
            "orient": "top",
            "columns": 3,
            "columnPadding": 30,  # as above
            "labelLimit": 260,
        },
        "header": {"labelColor": INK, "labelFontSize": 13, "labelFontWeight": "bold"},
    }
    return str(vl_convert.vegalite_to_svg({**chart.to_dict(), "config": config}))


def panels(
    layers: alt.LayerChart | alt.FacetChart,
    field: str,
    order: Sequence[str],
    *,
    step: int | None = None,
    height: int | None = None,
) -> alt.TopLevelMixin:
    """Panels below each other, headed by the field's value, each with its own rows."""
    sized = layers.properties(width=WIDTH, height=alt.Step(step) if step else height)
    header = alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top", labelPadding=4)
    faceted = sized.facet(
        facet=alt.Facet(f"{field}:N", title=None, sort=list(order), header=header), columns=1
    )
    resolved: alt.TopLevelMixin = faceted.resolve_scale(
        y="independent", x="shared" if field == "metric" else "independent"
    )
    return resolved


def chart(data: Rows) -> alt.Chart:
    """A chart of these rows."""
    return alt.Chart(alt.InlineData(data))


def contestants(data: Rows, frameworks: Mapping[str, str]) -> list[str]:
    """Names in alphabetical order, bare servers last; frameworks: of each contestant."""
    names = {row["contestant"] for row in data}
    return sorted(names, key=lambda name: (frameworks.get(name) == BARE, name))


def colour(data: Rows, frameworks: Mapping[str, str], legend: alt.Legend | None = CIRCLES) -> alt.Color:
    """One colour per contestant, of its framework's family; no legend where rows are labelled anyway."""
    names = contestants(data, frameworks)
    scale = alt.Scale(domain=names, range=_shades([frameworks.get(name, "") for name in names]))
    return alt.Color("contestant:N", title=None, scale=scale, legend=legend)


def _shades(frameworks: Sequence[str]) -> list[str]:
    """One colour per contestant: shades of one for each framework, the same as in the verdicts."""
    taken: dict[str, int] = {}
    shades = []
    for family in frameworks:
        palette = FAMILIES.get(family, OTHERS)
        place = taken[family] = taken.get(family, -1) + 1
        shades.append(palette[place % len(palette)])
    return shades
