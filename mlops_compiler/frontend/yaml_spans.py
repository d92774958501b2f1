"""Every key and value of a YAML text has a place: line and column, as a person counts them.

PyYAML's nodes carry marks of where they start and end; here they become spans, filed by key path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import yaml

from mlops_compiler.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyPath: TypeAlias = tuple[str | int, ...]

# YAML's own line breaks; str.splitlines knows more of them and would count other lines.
_LINE_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one entry is written.

    Attributes:
        key: Its key; the value itself for an item of a list.
        value: Its value; the first line of one that spans several.
    """

    key: Span
    value: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of a text, which can say where a mark of the parser lies.

    Attributes:
        source: The file as the user would name it.
        lines: Its lines, without their ends.
    """

    source: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, source: str, text: str) -> Lines:
        """Split a text as YAML does."""
        return cls(source=source, lines=tuple(_LINE_BREAK.split(text)))

    def span(self, line: int, column: int, length: int = 1) -> Span:
        """Make a span from a line and a column that count from 0; a place past the text is its end."""
        line = min(line, len(self.lines) - 1)
        text = self.lines[line]
        column = min(column, len(text))
        return Span(source=self.source, line=line + 1, column=column + 1, length=max(1, length), text=text)

    def of_node(self, node: yaml.Node) -> Span:
        """Make the span of a node, cut at the end of its first line."""
        start, end = node.start_mark, node.end_mark
        if start.line == end.line:
            return self.span(start.line, start.column, end.column - start.column)
        rest = self.lines[start.line][start.column :].rstrip() if start.line < len(self.lines) else ""
        return self.span(start.line, start.column, len(rest))


def places(root: yaml.MappingNode, lines: Lines) -> dict[KeyPath, Place]:
    """File the place of every key and list item under its path; the root is not among them."""
    return dict(_walk(root, lines, ()))


def _walk(node: yaml.Node, lines: Lines, path: KeyPath) -> Iterator[tuple[KeyPath, Place]]:
    for name, key, value in entries(node):
        span = lines.of_node(value)
        yield (*path, name), Place(key=span if key is None else lines.of_node(key), value=span)
        yield from _walk(value, lines, (*path, name))


def entries(node: yaml.Node) -> Iterator[tuple[str | int, yaml.ScalarNode | None, yaml.Node]]:
    """Iterate over what lies directly in a node: name or index, node of the key if any, node of the value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, key, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield index, None, value


def is_merge(key: yaml.Node) -> bool:
    """Say whether a key is YAML's ``<<``."""
    return bool(key.tag == _MERGE)


def narrow(span: Span, text: str, start: int = 0) -> Span:
    """Narrow a span to a word inside it, the first from `start` on; the span itself where it is not found."""
    covered = span.text[span.column - 1 : span.column - 1 + span.length]
    pattern = re.escape(text)
    if text[:1].isidentifier() or text[:1].isdigit():
        pattern = rf"(?<![\w]){pattern}(?![\w])"
    found = re.compile(pattern).search(covered, start) if text else None
    if found is None:
        return span
    column = span.column + found.start()
    return Span(source=span.source, line=span.line, column=column, length=len(text), text=span.text)


def written(span: Span) -> str:
    """Return the characters that a span covers."""
    return span.text[span.column - 1 : span.column - 1 + span.length]
