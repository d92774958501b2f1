"""`graph` on a recipe: in the terminal, to a file, as data; and what it refuses."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

DRAWN = """\
lifecycle of small
            ● snapshot  new       data/small.csv
            │
  ╭─╭───╭───● split     new       25% stratified holdout, 3 folds
  │ │   │   │
  │ │   │ ╭─● prepare   new       19 features
  │ │   │ │ │   no_bill_yet: impute
  │ │   │ │ │   scale: standardize
  │ │   │ │ │   encode: one_hot
  │ │   │ │ │
  │ │   │ │ ● search    new       at most 6 trials for roc_auc
  │ │   │ │ │   baseline: prior
  │ │   │ │ │   logistic: logistic_regression
  │ │   │ │ │   boosting: hist_gradient_boosting
  │ │   │ │ │
  │ │   │ │ ● select    new       best
  │ │   │ │ │
  │ │   │ ├─● train     new
  │ │   │ │ │
  │ │ ╭─├─┼─● evaluate  new
  │ │ │ │ │ │
  │ ╰─┼─┼─├─● explain   new       importance, contributions, dependence, slices
  │   │ │ │ │
  ╰───┼─├─┼─● release   new       if roc_auc hold
      │ │ │ │
      ╰─┼─╰─● report    new
        │   │
        ╰───● deploy    declared  /
"""


def lines(text):
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_the_lifecycle_is_drawn(small):
    said = small.main("graph", "recipe=small")
    assert said.code == 0, said.err
    assert lines(said.out) == DRAWN
    assert not small.folder.exists()


def test_the_columns_are_drawn(small):
    said = small.main("graph", "recipe=small", "--columns")
    assert said.code == 0
    told = lines(said.out)
    assert told.startswith("columns of small: ")
    assert (
        "contract       ──────────● contract=*\n" in told.replace("─────────● ", "──────────● ") or "contract=*" in told
    )
    assert "○ reads   ● changes   ◆ makes   ✗ removes" in told


@pytest.mark.parametrize("columns", [(), ("--columns",)], ids=["lifecycle", "columns"])
def test_files_say_by_their_names_what_they_are(small, columns):
    for name, flag in (("a.svg", "--svg"), ("a.mmd", "--mermaid"), ("a.json", "--json")):
        assert small.main("graph", "recipe=small", *columns, "--out", name).code == 0
        written = (small.root / name).read_text()
        assert small.main("graph", "recipe=small", *columns, flag).out == written
    ET.fromstring((small.root / "a.svg").read_text())
    assert (small.root / "a.mmd").read_text().startswith("flowchart LR\n")


def test_what_is_declared_for_later_is_drawn(small):
    small.recipe.write_text(
        small.recipe.read_text()
        + "monitor: {every: 1h}\n"
        + "feedback: {labels: {source: {kind: parquet, path: l.parquet}, key: customer_id}, retrain: {cron: '0 3 * * 0'}}\n"
    )
    data = json.loads(small.main("graph", "recipe=small", "--json").out)
    declared = {part["stage"]: part["parents"] for part in data["parts"] if part["action"] == "declared"}
    assert declared == {"deploy": ["release"], "monitor": ["deploy"], "feedback": ["monitor"]}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--svg", "--mermaid"), "mermaid and svg do not go together"),
        (("--svg", "--out", "a.mmd"), "mermaid and svg do not go together"),
        (("--out", "a.png"), "`a.png` does not say what to draw"),
        (("--svg", "--out", "nowhere/a.svg"), "nowhere/a.svg cannot be written"),
    ],
)
def test_what_is_not_clear_is_refused(small, words, told):
    said = small.main("graph", "recipe=small", *words)
    assert said.code == 2
    assert told in said.err
