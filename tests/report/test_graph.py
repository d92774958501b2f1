"""The drawings of a lifecycle and of its columns, as SVG and for Mermaid."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from mlops_compiler.analysis.lineage import Lineage, Touch, Trail
from mlops_compiler.report.graph import lifecycle_svg, lineage_svg
from mlops_compiler.report.mermaid import lifecycle_chart, lineage_chart

EVIL = '<b>"&` end\n    x --> y'
PARTS = (
    {"stage": "split", "action": "reuse", "parents": [], "note": "", "inside": []},
    {"stage": "prepare", "action": "rebuild", "parents": ["split"], "note": "", "inside": [f"s: {EVIL}"]},
    {"stage": "train", "action": "new", "parents": ["split", "prepare"], "note": "", "inside": []},
    {"stage": "score", "action": "new", "parents": ["split", "train"], "note": "", "inside": []},
    {"stage": "deploy", "action": "declared", "parents": ["score"], "note": "", "inside": []},
)
FOUND = Lineage(
    steps=(("fill", "impute"), ("rate", "derive"), ("gone", "drop")),
    trails=(
        Trail(column="id", role="key", touches=(), feature=None, sources=("id",)),
        Trail(
            column="a",
            role="feature",
            touches=(Touch(step=0, doing="changes"), Touch(step=1, doing="reads")),
            feature="a",
            sources=("a",),
        ),
        Trail(
            column=EVIL,
            role="feature",
            touches=(Touch(step=1, doing="reads"), Touch(step=2, doing="removes")),
            feature=None,
            sources=(EVIL,),
        ),
        Trail(
            column="r",
            role="feature",
            touches=(Touch(step=1, doing="makes", parents=("a", EVIL)),),
            feature="r",
            sources=("a", EVIL),
        ),
    ),
)


def texts(svg):
    return [item.text for item in ET.fromstring(svg).iter() if item.tag.endswith("}text")]


def test_the_lifecycle_is_an_svg_coloured_by_what_happens():
    svg = lifecycle_svg("churn", PARTS)
    shown = texts(svg)
    assert shown[0] == "The lifecycle of churn"
    assert [text for text in shown if text in {part["stage"] for part in PARTS}] == [part["stage"] for part in PARTS]
    for action in ("reuse", "rebuild", "new", "declared"):
        assert f'class="box {action}"' in svg
    assert "http://" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_the_columns_are_an_svg_with_a_mark_for_each_touch():
    svg = lineage_svg("churn", FOUND)
    assert {"id", "key", "a", "r", "fill", "impute", EVIL} <= set(texts(svg))
    root = ET.fromstring(svg)
    marks = [item.get("class") for item in root.iter() if item.tag.endswith(("}circle", "}path"))]
    assert [marks.count(kind) for kind in ("changes", "reads", "makes", "removes", "from")] == [1, 2, 1, 1, 2]


@pytest.mark.parametrize("svg", [lifecycle_svg(EVIL, PARTS), lineage_svg(EVIL, FOUND)], ids=["lifecycle", "columns"])
def test_no_text_is_taken_for_markup(svg):
    root = ET.fromstring(svg)
    assert not [item for item in root.iter() if item.tag.endswith(("}b", "}script"))]


def test_a_flowchart_has_a_node_for_each_part_and_an_arrow_for_each_flow():
    chart = lifecycle_chart(PARTS)
    lines = chart.splitlines()
    assert lines[0] == "flowchart LR"
    assert [line.split("]:::")[1] for line in lines if "]:::" in line] == [part["action"] for part in PARTS]
    arrows = [line.strip() for line in lines if "-->" in line]
    assert arrows == ["n0 --> n1", "n1 --> n2", "n0 --> n3", "n2 --> n3", "n3 --> n4"]
    assert len([line for line in lines if line.strip().startswith("classDef")]) == 4


def test_a_flowchart_of_columns_has_an_arrow_for_each_change():
    lines = [line.strip() for line in lineage_chart(FOUND).splitlines()]
    nodes = dict(re.match(r'(c\d+)[\[(]+"(.*)"', line).groups() for line in lines if re.match(r"c\d+[\[(]", line))
    arrows = [re.match(r"(c\d+) -->(?:\|(\w+)\|)? (c\d+)", line) for line in lines if "-->" in line]
    told = [(nodes[arrow[1]], arrow[2], nodes[arrow[3]]) for arrow in arrows]
    evil = "&lt;b&gt;&quot;&amp;&#96; end     x --&gt; y"
    assert told == [
        ("a", "fill", "a"),
        ("a", "rate", "r"),
        (evil, "rate", "r"),
        ("a", None, "a"),
        ("r", None, "r"),
    ]
    assert "id" not in nodes.values()
