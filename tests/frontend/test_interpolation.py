"""References give the values of other keys, and end."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.diagnostics import RecipeError
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.interpolation import TooLargeError, resolve


@pytest.mark.parametrize(
    ("config", "value"),
    [
        ({"a": "${b}", "b": 3}, 3),
        ({"a": "${b.c}", "b": {"c": [1]}}, [1]),
        ({"a": "${b}", "b": {"c": "${d}"}, "d": True}, {"c": True}),
        ({"a": "${b.1}", "b": [7, 8]}, 8),
        ({"a": "x-${b}-${c}", "b": 3, "c": None}, "x-3-null"),
        ({"a": "is ${b}", "b": False}, "is false"),
        ({"a": r"\${b}", "b": 3}, "${b}"),
        ({"a": r"\\${b}", "b": 3}, "\\3"),
        ({"a": ["${b}", {"c": "${b}"}], "b": 3}, [3, {"c": 3}]),
    ],
)
def test_resolved(config, value):
    resolved, problems = resolve(config)
    assert (resolved["a"], problems) == (value, [])


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"a": "${b}"}, "bad-reference"),
        ({"a": "${a}"}, "bad-reference"),
        ({"a": {"b": "${a}"}}, "bad-reference"),
        ({"a": "x ${b}", "b": {"c": 1}}, "bad-reference"),
        ({"a": "${b.9}", "b": [1]}, "bad-reference"),
        ({"a": "???"}, "missing-key"),
        ({f"k{i}": f"${{k{i + 1}}}" for i in range(1000)}, "bad-reference"),
    ],
    ids=["absent", "itself", "its own part", "a mapping in a text", "past a list", "to be given", "a long chain"],
)
def test_problems(config, code):
    _, problems = resolve(config)
    assert {problem.code for _, problem in problems} == {code}


def doubling(make, levels):
    return {f"k{i}": make(f"${{k{i + 1}}}") for i in range(levels)} | {f"k{levels}": "x" * 10}


@pytest.mark.parametrize(
    "make", [lambda ref: ref * 2, lambda ref: [ref, ref], lambda ref: {"a": ref, "b": ref}], ids=["text", "list", "map"]
)
def test_references_cannot_blow_up(make, workspace):
    started = time.perf_counter()
    with pytest.raises(TooLargeError):
        resolve(doubling(make, 30))
    lines = [f"{key}: {value!r}" for key, value in doubling(make, 30).items()]
    workspace.recipe("\n".join(lines) + "\n")
    for argv in (["recipe=mini"], ["recipe=mini", "--cfg", "job", "--resolve"]):
        with pytest.raises(RecipeError, match="too large"):
            launch(argv, lambda it: it)
    assert time.perf_counter() - started < 10


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["${a}", "x${b}", "${c}${a}", "1", r"\${a}"]), min_size=1)
)
def test_resolving_always_ends(config):
    resolved, problems = resolve(config)
    assert set(resolved) == set(config)
    if not problems:
        again, _ = resolve({"root": 1})
        assert again == {"root": 1}
