"""Mutations of the shipped recipes: each is told in our words or is right, and no unknown key passes.

Two thousand of them; `make fuzz` tries ten thousand, and other ones each time.

What is mutated goes the way of `check` from the text on, without Hydra's composing: `tests/frontend/test_mutations.py`
goes through that with fewer.
"""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import MlopsError, Severity, render_text
from mlops_compiler.diagnostics.render_concise import render_concise
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.composed import Composed
from mlops_compiler.frontend.interpolation import resolve
from mlops_compiler.frontend.provenance import FileLayer, Provenance
from mlops_compiler.frontend.recipe_text import parse_document
from mlops_compiler.frontend.validate import validate

ROOT = Path(__file__).parents[2]
RECIPES = {path.stem: path for path in sorted((ROOT / "recipes").glob("*.yaml"))}
RECIPES["zoo"] = ROOT / "tests" / "diagnostics" / "zoo.yaml"  # what the shipped ones do not use
CODES = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/diagnostics.md").read_text(), re.MULTILINE))


SHARE = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 5


def law(examples):
    return settings(
        max_examples=examples // SHARE,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def findings(text, path, task=compile_recipe):
    """List what is told about a recipe's text; nothing where all is well."""
    try:
        document = parse_document(text.encode(), path=path, source=path.name)
        layer = FileLayer(data=document.data, places=document.places, start=document.start)
        config, problems = resolve(copy.deepcopy(dict(document.data)))
        if problems or "defaults" in config:
            return ()
        composed = Composed(
            config=config,
            provenance=Provenance.of([layer], document.start),
            recipe_name=path.stem,
            recipe_path=path,
            root=path.parent,
            overrides=(),
            job_num=None,
        )
        task(composed)
    except MlopsError as error:
        told = error.diagnostics
    else:
        return ()
    assert any(finding.severity is Severity.ERROR for finding in told)
    lines = text.splitlines()
    for finding in told:
        assert finding.code in CODES
        assert not re.search("pydantic|Input should|Traceback|0x[0-9a-f]{6}", render_text([finding]))
        assert render_concise([finding]).count("\n") <= 1
        if finding.span is not None and finding.span.source == path.name:
            assert 1 <= finding.span.line <= max(1, len(lines))
    return told


def paths(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, (*path, key))


def at(data, path):
    for key in path:
        data = data[key]
    return data


DATA = {name: yaml.safe_load(path.read_text()) for name, path in RECIPES.items()}
PLACES = {name: [path for path in paths(data) if path] for name, data in DATA.items()}
WORDS = st.sampled_from(
    [
        "",
        "x",
        "auto",
        "churn",
        "tenure",
        "numeric",
        "prior",
        "csv",
        "5m",
        "2s",
        "10%",
        "> 0.5",
        "0 3 * * 0",
        "*",
        "~",
        "a.b",
    ]
)
SCALARS = WORDS | st.sampled_from(
    [None, True, 0, -1, 3.5, float("nan"), float("inf"), 10**30, "${name}", "${x}", "\x00"]
)
VALUES = SCALARS | st.sampled_from(
    [
        [],
        [1],
        [None],
        ["a", ["b"]],
        {},
        {"choice": [1, "a"]},
        {"choice": []},
        {"choice": [None, {"op": "drop", "columns": "age"}]},
        {"choice": [{"uniform": [0.1, 0.9]}, "numeric", ["age"]]},
        {"int_uniform": [1, 3]},
        {"uniform": [1, 0]},
        {"log_uniform": [0, 1]},
        {"kind": "x"},
        {"op": "derive", "columns": {"z": "1 / 0"}},
        {"op": "derive", "columns": {"z": "churn"}},
        {"op": "filter", "where": "tenure"},
        {"op": "drop", "columns": "all"},
        {"a": {"b": {"c": []}}},
    ]
)
TEXTS = st.text("\t {}[]:&*!|>'\"%@`#-,?é0\n\x00$~", max_size=5)


def dump(data):
    return yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)


@pytest.mark.timeout(600)
@law(5000)
@given(name=st.sampled_from(sorted(RECIPES)), draw=st.data())
def test_any_text(name, draw):
    text = RECIPES[name].read_text()
    for _ in range(draw.draw(st.integers(1, 3))):
        start, length = draw.draw(st.integers(0, len(text))), draw.draw(st.integers(0, 40))
        text = text[:start] + draw.draw(TEXTS) + text[start + length :]
    findings(text, RECIPES[name])


def _set(data, path, value, places):
    at(data, path[:-1])[path[-1]] = value


def _delete(data, path, value, places):
    del at(data, path[:-1])[path[-1]]


def _swap(data, path, value, places):
    """Put what stands at one place to another."""
    at(data, path[:-1])[path[-1]] = copy.deepcopy(at(data, places))


def _wrap(data, path, value, places):
    at(data, path[:-1])[path[-1]] = [at(data, path)]


def _rename(data, path, value, places):
    above = at(data, path[:-1])
    if isinstance(above, dict):
        above[str(value)[:9]] = above.pop(path[-1])


CHANGES = st.sampled_from([_set, _set, _delete, _swap, _wrap, _rename])


@pytest.mark.timeout(600)
@law(4000)
@given(name=st.sampled_from(sorted(RECIPES)), draw=st.data())
def test_any_value_anywhere(name, draw):
    data = copy.deepcopy(DATA[name])
    for _ in range(draw.draw(st.integers(1, 3))):
        places = st.sampled_from(PLACES[name])
        try:
            draw.draw(CHANGES)(data, draw.draw(places), draw.draw(VALUES), draw.draw(places))
        except (KeyError, IndexError, TypeError):
            continue
    findings(dump(data), RECIPES[name])


FREE = {
    ("prepare",),
    ("models",),
    ("data", "columns"),
    ("data", "stack"),
    ("data", "join"),
    ("data", "references"),
    ("data", "history"),
    ("features", "columns"),
    ("objective", "accept"),
    ("purpose", "stakeholders"),
}
"""Mappings in which a user makes the names."""


def is_section(name, path):
    above = at(DATA[name], path)
    named = path in FREE or path[:1] == ("prepare",) or path[-1:] in (("shares",), ("by",))
    return isinstance(above, dict) and not named


@pytest.mark.timeout(600)
@law(1000)
@given(name=st.sampled_from(sorted(RECIPES)), draw=st.data())
def test_an_unknown_key_is_never_accepted(name, draw):
    data = copy.deepcopy(DATA[name])
    sections = [path for path in [(), *PLACES[name]] if is_section(name, path)]
    section = draw.draw(st.sampled_from(sections))
    above = at(data, section)
    key = draw.draw(st.sampled_from(sorted(above)) if above else st.just("x"))
    wrong = draw.draw(st.sampled_from([f"{key}x", f"x{key}", f"{key}_", f"{key} ", key.upper() + "S", f"{key}.x"]))
    value = above.pop(key, 1) if draw.draw(st.booleans()) else copy.deepcopy(above.get(key, 1))
    above[wrong] = value
    told = findings(dump(data), RECIPES[name], validate)
    assert any(
        wrong.strip() in finding.headline or finding.code in {"unknown-kind", "missing-key"} for finding in told
    ), told
