"""A recipe's text may not reach Hydra's own settings, code, or files outside its folders.

Also refused is what YAML 1.1 reads as something else than is written: keys that are no texts, `012`, `12:30`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from mlops_compiler.diagnostics import Diagnostic, Note
from mlops_compiler.frontend.interpolation import problems
from mlops_compiler.frontend.yaml_data import scalar
from mlops_compiler.frontend.yaml_spans import Lines, entries, is_merge, narrow

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_CALLS = re.compile(r"_(target|partial|recursive|convert|args|mode)_")
_GROUP_KEY = re.compile(r"(?:(?P<word>override|optional)\s+)?(?P<group>\S+)")
_NAME = re.compile(r"\w[\w\-]*")
_PACKAGE_HEADER = re.compile(r"\s*#\s*@\s*package\b")
_ODD_NUMBER = re.compile(r"[-+]?(0[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")


def breaches(root: yaml.MappingNode, lines: Lines) -> list[Diagnostic]:
    """Find everything that the text of one file may not say, in the order written."""
    return [*_headers(lines), *_top(root, lines), *_nodes(root, lines)]


def calls_code(key: str) -> bool:
    """Say whether Hydra could take a key as an order to import or call something."""
    return _CALLS.search(key) is not None


def _headers(lines: Lines) -> Iterator[Diagnostic]:
    for number, line in enumerate(lines.lines):
        if line.strip() and not line.lstrip().startswith("#"):
            return
        if _PACKAGE_HEADER.match(line):
            yield Diagnostic(
                code="forbidden-key",
                headline="a recipe has no `@package` header: its keys always stand where they are written",
                span=lines.span(number, 0, len(line.rstrip())),
                help="remove the line",
            )


def _top(root: yaml.MappingNode, lines: Lines) -> Iterator[Diagnostic]:
    for name, key, value in entries(root):
        if key is not None and name == "hydra":
            yield Diagnostic(
                code="forbidden-key",
                headline="a recipe may not set `hydra`",
                span=lines.of_node(key),
                help="settings of Hydra belong on the command line, as in hydra/launcher=NAME",
            )
        elif name == "defaults":
            yield from _defaults(value, lines)


def _nodes(node: yaml.Node, lines: Lines) -> Iterator[Diagnostic]:
    if isinstance(node, yaml.ScalarNode):
        yield from _scalar(node, lines)
    elif isinstance(node, yaml.MappingNode):
        yield from _keys(node, lines)
    for _, _, value in entries(node):
        yield from _nodes(value, lines)


def _keys(node: yaml.MappingNode, lines: Lines) -> Iterator[Diagnostic]:
    seen: dict[str, yaml.Node] = {}
    for key, _ in node.value:
        if is_merge(key):
            yield _merge(key, lines)
        elif not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT:
            yield _no_text(key, lines)
        elif calls_code(key.value):
            yield _call(key, lines)
        elif key.value in seen:
            yield _twice(key, seen[key.value], lines)
        elif "${" in key.value:
            yield Diagnostic(code="bad-reference", headline="a key may hold no reference", span=lines.of_node(key))
        if isinstance(key, yaml.ScalarNode):
            seen.setdefault(key.value, key)


def _scalar(node: yaml.ScalarNode, lines: Lines) -> Iterator[Diagnostic]:
    span = lines.of_node(node)
    if node.tag in _NUMBERS:
        yield from _number(node, lines)
    elif "${" in node.value:
        for problem in problems(node.value):
            yield Diagnostic(
                code=problem.code,
                headline=problem.text,
                span=narrow(span, problem.written),
                help=problem.help,
            )


def _number(node: yaml.ScalarNode, lines: Lines) -> Iterator[Diagnostic]:
    written = node.value
    try:
        value = scalar(node)
    except (ValueError, OverflowError):
        yield Diagnostic(
            code="yaml-number",
            headline=f"`{_short(written)}` is no number that can be read",
            span=lines.of_node(node),
            help="quote it, if it is a text",
        )
        return
    if _ODD_NUMBER.fullmatch(written) and written.strip("+-0_"):
        yield Diagnostic(
            code="yaml-number",
            headline=f"YAML reads `{_short(written)}` as {_short(str(value))}",
            span=lines.of_node(node),
            help=f'write "{_short(written)}" in quotes for the text, or {_short(str(value))} for the number',
        )


def _defaults(node: yaml.Node, lines: Lines) -> Iterator[Diagnostic]:
    if not isinstance(node, yaml.SequenceNode):
        yield _bad_default(node, lines, "`defaults` is a list of groups")
        return
    for entry in node.value:
        if (wrong := _wrong_default(entry)) is not None:
            yield _bad_default(entry, lines, wrong)


def _wrong_default(entry: yaml.Node) -> str | None:
    if isinstance(entry, yaml.ScalarNode) and entry.tag == _TEXT:
        return None if _NAME.fullmatch(entry.value) else "a recipe to build on is given by its name"
    if not isinstance(entry, yaml.MappingNode) or len(entry.value) != 1:
        return "an entry of `defaults` is a group with the option to take from it"
    key, value = entry.value[0]
    options = value.value if isinstance(value, yaml.SequenceNode) else [value]
    return _wrong_group(key) or next((wrong for wrong in map(_wrong_option, options) if wrong), None)


def _wrong_group(key: yaml.Node) -> str | None:
    found = _GROUP_KEY.fullmatch(key.value) if isinstance(key, yaml.ScalarNode) else None
    if found is not None and found["group"].removeprefix("/").split("/")[0] == "hydra":
        return "a recipe may not choose settings of Hydra"
    if found is None or _NAME.fullmatch(found["group"].removeprefix("/")) is None:
        return "a group is named by a plain word: no path, no package"
    group = found["group"].removeprefix("/")
    if group == "recipe":
        return "a recipe to build on is given by its name alone, as in `- churn`"
    return None if found["group"].startswith("/") else f"a group starts with a slash: `/{group}`"


def _wrong_option(value: yaml.Node) -> str | None:
    if not isinstance(value, yaml.ScalarNode):
        return "an option is a name"
    if value.tag.endswith(":null") or (value.tag == _TEXT and _NAME.fullmatch(value.value)):
        return None
    return "an option is a plain name: no path, no package, no reference"


def _bad_default(node: yaml.Node, lines: Lines, headline: str) -> Diagnostic:
    return Diagnostic(
        code="bad-defaults",
        headline=headline,
        span=lines.of_node(node),
        help="write it like `- /search: thorough`",
    )


def _merge(key: yaml.Node, lines: Lines) -> Diagnostic:
    return Diagnostic(
        code="yaml-alias",
        headline="`<<` merges YAML mappings; recipes do not",
        span=lines.of_node(key),
        help="put what is shared into a group of conf/ and name it under `defaults:`",
    )


def _no_text(key: yaml.Node, lines: Lines) -> Diagnostic:
    if not isinstance(key, yaml.ScalarNode):
        return Diagnostic(code="key-not-text", headline="a key must be a text", span=lines.of_node(key))
    what = {"bool": "true or false", "null": "nothing"}.get(key.tag.rpartition(":")[2], "a number")
    return Diagnostic(
        code="key-not-text",
        headline=f"YAML reads the key `{_short(key.value)}` as {what}; a key must be a text",
        span=lines.of_node(key),
        help=f'quote it: "{_short(key.value)}"',
    )


def _call(key: yaml.Node, lines: Lines) -> Diagnostic:
    return Diagnostic(
        code="forbidden-key",
        headline=f"`{_short(key.value)}` would make Hydra run code; a recipe is data",
        span=lines.of_node(key),
        help="name a registered kind instead, as in `kind: random_forest`",
    )


def _twice(key: yaml.Node, first: yaml.Node, lines: Lines) -> Diagnostic:
    return Diagnostic(
        code="duplicate-key",
        headline=f"`{_short(key.value)}` stands twice in the same mapping",
        span=lines.of_node(key),
        notes=(Note(text="it stands here first", span=lines.of_node(first)),),
        help="remove one of them, or rename it",
    )


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 - room in a headline
