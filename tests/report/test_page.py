from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

import pytest

from mlops_compiler.report.facts import ReportFacts
from mlops_compiler.report.leaderboard import as_selected
from mlops_compiler.report.page import render_report
from mlops_compiler.report.palette import PALETTE

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>{{ 7 * 7 }}</style></svg>&amp;"""
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """What a browser would find: elements, attributes, texts; and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def page(facts: ReportFacts) -> Page:
    return Page(render_report(facts))


def poisoned(value: Any, key: str = "") -> Any:
    """Put a hostile text wherever a recipe or a record may bring a text; the names of stages stay."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: poisoned(getattr(value, item.name), item.name) for item in fields(value)})
    if isinstance(value, dict):
        return {name: poisoned(item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [poisoned(item, key) for item in value]
    return HOSTILE if isinstance(value, str) and key not in {"stage", "parents", "status", "action"} else value


def test_it_loads_nothing(facts):
    html = render_report(facts)
    page = Page(html)
    assert "http" not in html.replace("http-equiv", "")
    assert page.tags.count("script") == 1
    assert not {"link", "img", "iframe", "object", "use", "image"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in {"src", "href", "xlink:href"} or name.startswith("on")]
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)


def test_every_element_is_closed_and_every_id_is_there_once(page):
    ids = [value for name, value in page.attributes if name == "id"]
    assert page.open == []
    assert len(ids) == len(set(ids))


def test_the_same_facts_give_the_same_bytes(facts):
    first = render_report(facts)
    render_report(replace(facts, leaderboard=None))
    assert render_report(facts) == first


def test_no_script_runs_but_the_page_s_own(facts):
    html = render_report(facts)
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    seal = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = dict(Page(html).attributes[2:4])["content"]
    assert f"script-src 'sha256-{seal}';" in policy
    assert "script" not in Page(render_report(replace(facts, leaderboard=None))).tags


def test_hostile_texts_stay_texts(facts):
    hostile = poisoned(facts)
    spaces = {HOSTILE: {HOSTILE: {"choice": [HOSTILE, 1]}, "l2": {"log_uniform": [1e-9, 9]}}}
    trials = [row | {"parameters": {HOSTILE: HOSTILE, "l2": 1e-6}} for row in hostile.leaderboard["trials"]]
    html = render_report(replace(hostile, leaderboard=hostile.leaderboard | {"spaces": spaces, "trials": trials}))
    page = Page(html)
    assert page.open == []
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "{{ 7 * 7 }}" in page.text


def test_every_metric_stands_beside_the_baseline(facts, page):
    for name, value in facts.evaluation["metrics"].items():
        assert f"{name} {value:.4f} {facts.evaluation['baseline'][name]:.4f}" in page.text


def test_every_metric_says_how_sure_it_is(facts):
    """L-SEL-2."""
    sure = {
        "intervals": {"roc_auc": [0.8214, 0.8701], "f1": [0.58, 0.66]},
        "interval": {"level": 0.95, "method": "percentile", "samples": 2000, "drawn": "groups", "units": 120},
        "against": {
            "baseline": {
                "roc_auc": {"gain": 0.3467, "low": 0.32, "high": 0.37, "p": 0.0005},
                "f1": {"gain": 0.6214, "low": -0.02, "high": 0.7, "p": 0.4},
            }
        },
    }
    chosen = {**facts.selection, "validation": {"roc_auc": {"mean": 0.8512, "std": 0.0122}}}
    text = Page(render_report(replace(facts, evaluation={**facts.evaluation, **sure}, selection=chosen))).text
    assert "roc_auc 0.8467 0.8214 to 0.8701 0.8512 ± 0.0122 0.5000 +0.3467 better p < 0.001" in text
    assert "may be chance p = 0.4" in text
    assert "95 % intervals: percentiles of 2,000 bootstrap samples, each of 120 groups." in text


@pytest.mark.parametrize(
    "said",
    [
        "Release 3",
        "roc_auc at least 0.83 0.8467 ✓ met",
        "log_loss at most 0.45 0.4127 ✓ met",
        "Customer analytics",
        "20261123-072052-3f9c",
        "2026-11-23 07:20 UTC",
        "7,043",
        "new customers have no bill yet",
        "no_bill_yet: impute",
        "baseline",
        "loss is not finite",
        "known only after the outcome",
        "models.boosting.max_leaf_nodes=15",
        "scikit-learn 1.9.1",
        "Everyone 1,915",
        "No one \N{MINUS SIGN}37,400",
        "The model 6,610 4.69",
        "right in 73.5 % of rows",
    ],
)
def test_it_says(page, said):
    assert said in page.text


def test_what_ended_the_search_and_what_it_took_is_said(facts):
    board = facts.leaderboard | {
        "ended": {"by": "patience", "trials": 41, "of": 80},
        "spent": {"cpu_seconds": 90.0, "gpu_seconds": 0.0},
    }
    page = render_report(replace(facts, leaderboard=board))
    assert "The search ended by patience after 41 of 80 trials. Its trials took 1 min 30 s of a core." in page


def test_every_trial_is_listed(facts, page):
    for trial in facts.leaderboard["trials"]:
        assert f"{trial['kind']}, trial {trial['trial']} " in page.text


def test_every_chart_has_words(page):
    labels = [value for name, value in page.attributes if name == "aria-label"]
    for title in (
        "ROC",
        "Precision and recall",
        "Calibration",
        "Value by threshold",
        "What each model reached",
    ):
        assert any(label and label.startswith(title) for label in labels)
    assert any("prepare (reuse), search (rebuild)" in (label or "") for label in labels)


def test_a_missed_criterion_is_said_first(facts):
    missed = [{"metric": "roc_auc", "at_least": 0.83, "at_most": None, "value": 0.829998, "met": False}]
    page = Page(render_report(replace(facts, criteria=missed, accepted=False, release=None)))
    assert "Not released: a criterion was missed" in page.text
    assert "at least 0.83 0.829998 ✗ missed" in page.text


OPTIONAL = (
    "description",
    "owner",
    "task",
    "release",
    "accepted",
    "leaderboard",
    "selection",
    "evaluation",
    "data",
)


@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize("name", OPTIONAL)
def test_a_part_that_is_absent_leaves_the_rest(facts, name):
    page = Page(render_report(replace(facts, **{name: None})))
    assert page.open == []
    assert "Provenance" in page.text


def test_a_run_that_reached_nothing_still_has_a_page():
    page = Page(render_report(ReportFacts(recipe="churn", run_id="r1", started=0.0)))
    assert "Not released" in page.text
    assert "Leaderboard" not in page.text


@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize("part", ["evaluation", "leaderboard", "selection"])
def test_a_record_without_one_of_its_keys_still_has_a_page(facts, part):
    record = getattr(facts, part)
    for key in record:
        rest = {name: value for name, value in record.items() if name != key}
        assert Page(render_report(replace(facts, **{part: rest}))).open == []


def test_without_a_value_there_is_no_money(facts):
    curves = {name: curve for name, curve in facts.evaluation["curves"].items() if name != "value"}
    page = Page(render_report(replace(facts, evaluation={**facts.evaluation, "value": None, "curves": curves})))
    assert "no money is shown" in page.text
    assert "Value by threshold" not in page.text


def test_a_number_that_is_none_is_a_dash(facts):
    metrics = {**facts.evaluation["metrics"], "roc_auc": float("nan"), "unheard_of": 1.0}
    page = Page(render_report(replace(facts, evaluation={**facts.evaluation, "metrics": metrics})))
    assert "roc_auc \N{EN DASH} 0.5000 \N{EN DASH}" in page.text
    assert "unheard_of unheard_of 1.0000" in page.text
    assert "nan" not in page.text.split()


def test_charts_use_no_colour_that_dark_screens_do_not_swap(facts):
    charts = "".join(re.findall(r'<div class="drawing">.*?</div>', render_report(facts), flags=re.DOTALL))
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', charts)) - {"none", "transparent"}
    assert used
    assert used <= {colour.light for colour in PALETTE}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("screen", ["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "warm", "good", "bad", "violet"])
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_texts_can_be_read_on_their_ground(name, ground, screen):
    """WCAG 2.1, success criterion 1.4.3: a contrast of at least 4.5."""
    colours = {colour.name: luminance(getattr(colour, screen)) for colour in PALETTE}
    darker, lighter = sorted((colours[name], colours[ground]))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_importing_loads_no_chart_library():
    heavy = ["altair", "vl_convert", "jinja2", "pandas", "sklearn", "torch", "ray"]
    code = f"import sys, json, mlops_compiler.report.page; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_threshold_that_no_row_reaches_is_explained(facts):
    page = Page(render_report(replace(facts, evaluation={**facts.evaluation, "threshold": 1.0000000000000002})))
    assert "No probability reaches it" in page.text


def test_it_says_what_the_model_is_made_of_and_what_judged_the_procedure(facts):
    """L-SEL-3, L-SEL-4: members with their weights, what calibration did, nested folds, the release in place."""
    members = [{"trial": 1, "model": "logistic", "weight": 0.75}, {"trial": 2, "model": "forest", "weight": 0.25}]
    gain = {"gain": 0.012, "low": 0.004, "high": 0.021, "p": 0.004}
    curve = {"predicted": [0.1, 0.9], "observed": [0.2, 0.7], "rows": [10, 10]}
    folds = [{"model": "logistic", "metrics": {"roc_auc": 0.83}}, {"model": "forest", "metrics": {"roc_auc": 0.85}}]
    told = replace(
        facts,
        selection={**facts.selection, "trial": None, "kind": "ensemble", "members": members, "mean": 0.84, "std": 0.01},
        leaderboard=as_selected(facts.leaderboard, {"members": members, "excluded": {"4": "overfits by 0.2"}}),
        evaluation={**facts.evaluation, "uncalibrated": {"metrics": {"log_loss": 0.4711}, "curve": curve}},
        rival={"release": 2, "fair": False, "metrics": {"roc_auc": 0.83}, "gains": {"roc_auc": gain}},
        nested={
            "folds": folds,
            "metric": "roc_auc",
            "inner": 0.86,
            "outer": 0.84,
            "metrics": {"roc_auc": {"mean": 0.84, "std": 0.0141}},
        },
    )
    text = Page(render_report(told)).text
    assert "weighted mean of logistic (trial 1, 75.0 %), forest (trial 2, 25.0 %)" in text
    assert "member, 75 %" in text
    assert "may not be chosen: overfits by 0.2" in text
    assert "log_loss 0.4711 instead of 0.4127" in text
    assert "Beside release 2, on the same rows" in text
    assert "+0.0120 (0.0040 to 0.0210), p = 0.004 better" in text
    assert "made with another split" in text
    assert "2 outer folds, reached roc_auc 0.8400 ± 0.0141 on rows that it never saw" in text


def test_intakes_are_told_the_last_one_first(facts):
    """L-ACQ-4."""
    counts = {"new": 1204, "late": 3, "changed": 17, "superseded": 1, "repeated": 40, "refused": 2, "rows": 9001}
    told = [{**counts, "intake": number, "taken": 1795418452.0} for number in range(1, 15)]
    page = Page(render_report(replace(facts, data=replace(facts.data, intakes=told))))
    assert "14 2026-11-23 07:20 1,204 3 17 1 40 2 9,001" in page.text
    assert page.text.index("14 2026-11-23") < page.text.index("13 2026-11-23")
    assert "2 earlier intakes took 2,408 new rows." in page.text
    assert "How the rows were taken in" not in Page(render_report(facts)).text
