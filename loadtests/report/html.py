"""The report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadtests.report.document import Document
from loadtests.report.drawing import INK


def to_html(document: Document, charts: Mapping[str, tuple[str, str]]) -> str:
    """The whole page; charts: file name -> (what it shows, its SVG)."""
    environment = Environment(
        loader=PackageLoader("loadtests.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pictures = [(caption, inlined(svg, name.removesuffix(".svg"))) for name, (caption, svg) in charts.items()]
    return environment.get_template("report.html.j2").render(document=document, charts=pictures)


def inlined(svg: str, prefix: str) -> Markup:
    """SVG for within a page: it takes the page's text colour, and its ids do not meet those of other pictures."""
    text = re.sub(r"<\?xml[^>]*\?>|<!DOCTYPE[^>]*>", "", svg).replace(INK, "currentColor")
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    return Markup(text)  # noqa: S704 - drawn by charts.py, where vl-convert escapes every text
