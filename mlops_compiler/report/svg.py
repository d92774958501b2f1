"""From an Altair chart to SVG that may stand inside the page: named for screen readers, always the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_compiler.report.palette import LIGHT

if TYPE_CHECKING:
    from markupsafe import Markup

_OPENING = re.compile(r"<svg [^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\" viewBox=\"([^\"]+)\">")


def inline_svg(chart: Any, alt_text: str, *, told: bool = False) -> Markup:
    """Compile a chart to an inline ``<svg role="img">`` whose texts were escaped by the renderer.

    Args:
        chart: An Altair chart.
        alt_text: What the chart shows, for those who cannot see it; escaped here.
        told: Whether each mark that has a description carries it, as its ``aria-label``.
    """
    import vl_convert
    from markupsafe import Markup, escape

    svg = vl_convert.vegalite_to_svg(_dressed(chart.to_dict(validate=False), told=told))
    opening = _OPENING.search(svg)
    if opening is None:
        raise ValueError("the chart renderer's SVG does not begin as expected")
    width, _height, view = opening.groups()
    head = f'<svg role="img" aria-label="{escape(alt_text)}" viewBox="{view}" style="max-width:{width}px">'
    return Markup(head + svg[opening.end() :])  # noqa: S704 - the renderer escapes the texts inside


def _dressed(chart: dict[str, Any], *, told: bool) -> dict[str, Any]:
    """Put the page's colours and typeface on a chart."""
    axis = {
        "labelColor": LIGHT["muted"],
        "titleColor": LIGHT["ink"],
        "gridColor": LIGHT["line"],
        "domainColor": LIGHT["line"],
        "tickColor": LIGHT["line"],
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 12,
        "labelLimit": 140,
    }
    config = {
        **chart["config"],
        "aria": told,
        "font": "system-ui, sans-serif",
        "background": "transparent",
        "padding": {"left": 14, "right": 8, "top": 4, "bottom": 4},
        "view": {**chart["config"]["view"], "stroke": None},
        "axis": axis,
        "legend": {"labelColor": LIGHT["muted"], "titleColor": LIGHT["ink"], "labelFontSize": 11},
    }
    return {**chart, "config": config}
