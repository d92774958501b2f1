"""Whatever is done to a recipe, a user is told in our words, and no unknown key is ever accepted."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import RecipeError, UsageError, render_text
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.recipe_text import parse_document
from mlops_compiler.frontend.validate import validate

CHURN = Path(__file__).parents[2] / "recipes/churn.yaml"
TEXT = CHURN.read_text()
DATA = yaml.safe_load(TEXT)
SCALARS = st.sampled_from(
    [None, True, 0, -1, 3.5, float("nan"), 10**30, "", "x", "auto", "${name}", "${x}", "???", "5m"]
)
VALUES = SCALARS | st.sampled_from(
    [[], [1], ["a", None], {}, {"choice": [1, "a"]}, {"choice": []}, {"log_uniform": [0, 1]}, {"kind": "x"}, {"a": {}}]
)


def paths(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, (*path, key))


PATHS = [path for path in paths(DATA) if path]


def at(data, path):
    for key in path:
        data = data[key]
    return data


def outcome(argv):
    """Compose and validate; return the findings, none where all is well."""
    findings = ()
    try:
        launch(argv, validate)
    except (RecipeError, UsageError) as error:
        findings = error.diagnostics
    assert bool(render_text(findings)) == bool(findings)
    return findings


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return tmp_path_factory.mktemp("mutations")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(PATHS), st.sampled_from(["set", "delete", "add"]), VALUES), min_size=1, max_size=3
    )
)
def test_any_value_anywhere(here, changes):
    data = copy.deepcopy(DATA)
    for path, how, value in changes:
        try:
            above = at(data, path[:-1])
            if how == "set":
                above[path[-1]] = value
            elif how == "delete":
                del above[path[-1]]
            elif isinstance(above, dict):
                above["added"] = value
        except (KeyError, IndexError, TypeError):
            continue
    file = here / "recipe.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    for finding in outcome([f"recipe={file}"]):
        assert "Input should" not in finding.headline
        assert "pydantic" not in finding.headline.lower()


NAMED = {("prepare",), ("models",), ("data", "columns"), ("prepare", "monthly_rate", "columns")}
KEYS = [path for path in PATHS if isinstance(path[-1], str) and path[:-1] not in NAMED]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KEYS), st.sampled_from(["x{}", "{}x", "{}_", "_{}", "{} "]))
def test_a_misspelt_key_is_never_accepted(here, path, how):
    data = copy.deepcopy(DATA)
    above = at(data, path[:-1])
    wrong = how.format(path[-1])
    above[wrong] = above.pop(path[-1])
    file = here / "recipe.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    findings = outcome([f"recipe={file}"])
    assert findings
    lines = file.read_text().splitlines()
    assert any(finding.span is not None and finding.span.text in lines for finding in findings)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), st.sampled_from(["", "+", "++", "~"]), st.text("ab1.,:[]{}()'\"=$ \\", max_size=8))
def test_any_override(here, path, prefix, value):
    file = here / "churn.yaml"
    file.write_text(TEXT)
    token = prefix + ".".join(map(str, path)) + (f"={value}" if prefix != "~" else "")
    outcome([f"recipe={file}", token])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(TEXT)), st.integers(0, 12), st.text("\t {}[]:&*!|>'\"%@`#-,?é0\n\x00$", max_size=4)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_text(changes):
    text = TEXT
    for start, length, put in changes:
        text = text[:start] + put + text[start + length :]
    findings = ()
    try:
        parse_document(text.encode(), path=CHURN, source="churn.yaml")
    except RecipeError as error:
        findings = error.diagnostics
    assert all(finding.span is None or finding.span.line >= 1 for finding in findings)
    assert bool(render_text(findings)) == bool(findings)
