"""The charts of a report are what Vega-Lite's schema says, though drawing them does not check it."""

from __future__ import annotations

import json

import altair as alt
import pytest
from altair.utils.schemapi import validate_jsonschema
from altair.vegalite.v6.schema.core import load_schema
from jsonschema import ValidationError

from mlops_compiler.report import svg
from mlops_compiler.report.page import render_report


@pytest.fixture
def checked(monkeypatch):
    """Check each chart as a whole when it is drawn; gives how many were."""
    drawn, dressed = [], svg._dressed

    def checking(chart, *, told):
        found = dressed(chart, told=told)
        validate_jsonschema(json.loads(json.dumps(found)), load_schema())
        drawn.append(found)
        return found

    monkeypatch.setattr(svg, "_dressed", checking)
    return drawn


def test_every_chart_of_a_report_is_valid(facts, checked):
    render_report(facts)
    assert len(checked) > 3


def test_a_chart_that_is_not_would_be_found(checked):
    with pytest.raises(ValidationError):
        svg.inline_svg(alt.Chart(alt.InlineData(values=[])).mark_point(size="wide"), "nothing")
