"""Altair, the grammar of the charts: imported where a chart is drawn, and not told to check what we write.

It checks each part of a chart against the schema of Vega-Lite as it is made and once more as a whole, which took a
third of the time of a report; the tests check the charts of a whole report (tests/report/test_charts.py).
"""

from __future__ import annotations

from typing import Any


def altair() -> Any:
    """Give the module."""
    import altair as alt
    from altair.utils.schemapi import disable_debug_mode

    disable_debug_mode()
    return alt
