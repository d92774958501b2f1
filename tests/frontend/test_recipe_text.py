"""The text of a file is bounded before it is parsed, and never makes anything but data."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.diagnostics import RecipeError
from mlops_compiler.frontend.recipe_text import parse_document, read_document
from mlops_compiler.frontend.yaml_spans import written


def parse(text):
    return parse_document(text.encode() if isinstance(text, str) else text, path=Path("mini.yaml"), source="mini.yaml")


def codes(text):
    with pytest.raises(RecipeError) as caught:
        parse(text)
    return [item.code for item in caught.value.diagnostics]


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("a: [" + "1, " * 100_001 + "]", "recipe-too-large", id="many values"),
        pytest.param("a: " + "[" * 400_000, "recipe-too-large", id="deep"),
        pytest.param("a: " + "{b: " * 100_000, "recipe-too-large", id="deep mappings"),
        pytest.param("- " * 100_000, "recipe-too-large", id="deep lists"),
        pytest.param(bomb(), "yaml-alias", id="aliases of aliases"),
        pytest.param("a: &a [*a]", "yaml-alias", id="an alias to itself"),
        pytest.param(b"a: \xff", "not-utf8", id="not UTF-8"),
        pytest.param("a: \x00", "yaml-syntax", id="a null character"),
        pytest.param("", "unreadable-recipe", id="empty"),
        pytest.param("# nothing\n", "unreadable-recipe", id="comments only"),
        pytest.param("- a", "wrong-type", id="a list"),
        pytest.param("a", "wrong-type", id="a text"),
        pytest.param("a: 1\n---\nb: 2\n", "yaml-syntax", id="two documents"),
        pytest.param("? [a, b]\n: 1\n", "key-not-text", id="a list as a key"),
        pytest.param("? {a: b}\n: 1\n", "key-not-text", id="a mapping as a key"),
        pytest.param("a: " + "9" * 5000, "yaml-number", id="a number too long to be read"),
        pytest.param("a: {b: {_partial_: true}}", "forbidden-key", id="a partial call"),
        pytest.param("a: [{x_target_: b}]", "forbidden-key", id="a target inside a key"),
        pytest.param("# note\n\n#   @package foo\na: 1\n", "forbidden-key", id="a package header, later"),
        pytest.param("a: ${b:}", "resolver-call", id="a resolver without arguments"),
        pytest.param("a: '${a.${b}}'", "bad-reference", id="a nested reference"),
        pytest.param("a: 'x ${.b}'", "bad-reference", id="a relative reference"),
        pytest.param("a: '${b'", "bad-reference", id="an open reference"),
        pytest.param("${a}: 1", "bad-reference", id="a reference as a key"),
    ],
)
def test_refused(text, code):
    started = time.perf_counter()
    assert set(codes(text)) == {code}
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "entry",
    [
        "../x",
        "/etc/passwd",
        "x.yaml",
        "base@foo",
        "/search@foo: quick",
        "/search: ../quick",
        "/search: /etc/passwd",
        "/search: quick@foo",
        "/search: ${name}",
        "/search: [quick, ../x]",
        "/../search: quick",
        "/hydra/launcher: basic",
        "override /hydra/launcher: basic",
        "hydra: x",
        "/recipe: churn",
        "search: quick",
        "/search: {a: b}",
        "3",
        "[a]",
        "{}",
    ],
)
def test_defaults_that_leave_their_folders(entry):
    assert codes(f"defaults:\n  - {entry}\n") in (["bad-defaults"], ["bad-defaults", "bad-reference"])


@pytest.mark.parametrize(
    "entry", ["base", "_self_", "/search: quick", "override /search: quick", "/store: null", "/a: [b, c]"]
)
def test_defaults_that_are_fine(entry):
    parse(f"defaults:\n  - {entry}\n")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0),
        ("1_000", 1000),
        ("0", 0),
        ("-0.5", -0.5),
        (".inf", math.inf),
        ("2024-01-31", "2024-01-31"),
        ("=", "="),
        ("~", None),
        ("", None),
        ("'on'", "on"),
        ("true", True),
        (r"'\${x}'", r"\${x}"),
        ("0x1F", 31),
        ("5%", "5%"),
    ],
)
def test_scalars(text, value):
    found = parse(f"a: {text}").data["a"]
    assert (type(found), found) == (type(value), value)


def test_a_byte_order_mark_and_windows_lines():
    document = parse("\ufeffa: 1\r\nb:\r\n  c: two\r\n".encode())
    assert document.data == {"a": 1, "b": {"c": "two"}}
    assert document.places[("b", "c")].value.place == "mini.yaml:3:6"
    assert document.places[("b", "c")].value.text == "  c: two"


@pytest.mark.parametrize("make", ["missing", "folder", "large"])
def test_files_that_cannot_be_read(tmp_path, make):
    path = tmp_path / "mini.yaml"
    if make == "folder":
        path.mkdir()
    elif make == "large":
        path.write_bytes(b"a: 1\n" * 300_000)
    with pytest.raises(RecipeError):
        read_document(path)


KEYS = st.text("abcdefgh é", min_size=1).filter(lambda key: key.strip() == key and "_" not in key)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc: é\n#'\"-,", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.booleans())
def test_what_is_written_is_read_and_every_scalar_has_its_place(data, flow):
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow, width=10_000)
    document = parse(text)
    assert document.data == data

    def check(value, path):
        if isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                assert (*path, key) in document.places
                check(item, (*path, key))
        elif isinstance(value, int) and not isinstance(value, bool):
            assert written(document.places[path].value) == str(value)

    check(data, ())
