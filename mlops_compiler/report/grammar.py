"""Altair, the grammar of the charts: imported where a chart is drawn, and not told to check what we write.

It checks each part of a chart against the schema of Vega-Lite as it is made and once more as a whole, which took a
third of the time of a report; the tests check the charts of a whole report (tests/report/test_charts.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def altair() -> Any:
    """Give the module."""
    import altair as alt
    from altair.utils.schemapi import disable_debug_mode

    disable_debug_mode()
    return alt


def chart_of(points: Iterable[Mapping[str, Any]]) -> Any:
    """Begin a chart of points: in a tuple, since Altair copies a list with all that is in it at each step."""
    alt = altair()
    return alt.Chart(alt.InlineData(values=tuple(points)))
