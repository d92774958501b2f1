"""The text of every YAML file is checked before anything composes it: a recipe is data from somebody else.

Size and depth are bounded, and what YAML would quietly turn into something else is refused with its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mlops_compiler.diagnostics import Diagnostic, Note, RecipeError, Span
from mlops_compiler.frontend.text_rules import breaches
from mlops_compiler.frontend.yaml_data import Parser, construct
from mlops_compiler.frontend.yaml_spans import KeyPath, Lines, Place, places

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 100_000

_ADVICE = {
    "mapping values are not allowed": "quote a text that contains `: `; or the line starts too far right",
    "could not find expected ':'": "a key is followed by a colon and a space",
    "did not find expected ',' or": "a bracket is not closed, or a comma is missing",
    "did not find expected key": "a line starts too far to the left or right, or a quote is not closed",
    "did not find expected '-' indicator": "a line starts too far to the left or right",
    "cannot start any token": "quote a text that starts with such a character",
    "did not find expected node content": "a value is missing, or a quote or a bracket is not closed",
    "unexpected end of stream": "a quote is not closed",
    "expected a single document": "one file holds one recipe: remove the `---` between the two",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A checked YAML file.

    Attributes:
        path: The file.
        data: What it says; never changed.
        places: Where each key and value is written.
        start: The first line, to blame for what is missing.
    """

    path: Path
    data: Mapping[str, Any]
    places: Mapping[KeyPath, Place]
    start: Span


def read_document(path: Path) -> Document:
    """Read and check a YAML file; a file that did not change is read once.

    Raises:
        RecipeError: Everything that is wrong with the text.
    """
    source = _as_named(path)
    try:
        status = path.stat()
        if not path.is_file():
            raise RecipeError([_file_finding(source, "is not a regular file")])
        if status.st_size > MAX_BYTES:
            raise RecipeError([_too_large(source)])
        return _read(path, source, status.st_mtime_ns, status.st_size)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RecipeError([_file_finding(source, f"cannot be read: {reason}")]) from None


@lru_cache(maxsize=64)
def _read(path: Path, source: str, _changed: int, _size: int) -> Document:
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise RecipeError([_too_large(source)])
    return parse_document(raw, path=path, source=source)


def parse_document(raw: bytes, *, path: Path, source: str) -> Document:
    """Check the bytes of a YAML file.

    Raises:
        RecipeError: Everything that is wrong with the text.
    """
    text = _decoded(raw, source)
    lines = Lines.of(source, text)
    root = _composed(text, lines)
    if root is None:
        raise RecipeError([_file_finding(source, "says nothing", lines.span(0, 0))])
    if not isinstance(root, yaml.MappingNode):
        raise RecipeError([_no_mapping(lines.of_node(root), source)])
    found = breaches(root, lines)
    if found:
        raise RecipeError(found)
    first = len(lines.lines[0].rstrip())
    return Document(path=path, data=construct(root), places=places(root, lines), start=lines.span(0, 0, first))


def _as_named(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _decoded(raw: bytes, source: str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        lines = Lines.of(source, before)
        finding = Diagnostic(
            code="not-utf8",
            headline=f"{source} is not UTF-8: byte {error.start + 1} is 0x{raw[error.start]:02x}",
            span=lines.span(len(lines.lines) - 1, len(lines.lines[-1])),
            help="save the file as UTF-8",
        )
        raise RecipeError([finding]) from None
    if (odd := yaml.reader.Reader.NON_PRINTABLE.search(text)) is not None:
        raise RecipeError([_unprintable(odd, text, source)])
    return text


def _unprintable(odd: re.Match[str], text: str, source: str) -> Diagnostic:
    before = Lines.of(source, text[: odd.start()]).lines
    return Diagnostic(
        code="yaml-syntax",
        headline=f"{source} holds a character that YAML does not allow, U+{ord(odd[0]):04X}",
        span=Lines.of(source, text).span(len(before) - 1, len(before[-1])),
        help="remove it, or write it as an escape in double quotes",
    )


def _composed(text: str, lines: Lines) -> yaml.Node | None:
    """Parse in two steps: the events are bounded, so that the nodes are."""
    try:
        _check_events(text, lines)
        root: yaml.Node | None = yaml.compose(text, Loader=Parser)
    except yaml.MarkedYAMLError as error:
        raise RecipeError([_syntax(error, lines)]) from None
    return root


def _check_events(text: str, lines: Lines) -> None:
    depth = nodes = 0
    for event in yaml.parse(text, Loader=Parser):
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            _refuse_node(event, lines)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise RecipeError([_too_much(_mark(event, lines), deep=depth > MAX_DEPTH)])


def _refuse_node(event: yaml.NodeEvent, lines: Lines) -> None:
    span = _mark(event, lines)
    if event.anchor is not None:
        sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
        raise RecipeError([_alias(span, f"{sign}{event.anchor}")])
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise RecipeError([_tag(span, tag)])


def _mark(event: yaml.Event, lines: Lines) -> Span:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return lines.span(0, 0)
    length = end.column - start.column if start.line == end.line else 1
    return lines.span(start.line, start.column, length)


def _syntax(error: yaml.MarkedYAMLError, lines: Lines) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it cannot be read"
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    indent = re.match(r"\s*", lines.lines[min(line, len(lines.lines) - 1)])
    if indent is not None and "\t" in indent[0]:
        return _tab(lines.span(line, indent[0].index("\t")))
    advice = next((text for start, text in _ADVICE.items() if start in problem), None)
    opened = error.context_mark if _is_open(error) else None
    began = _inside(lines, opened.line, opened.column) if opened is not None else None
    ends = line >= len(lines.lines) - 1 or "end of stream" in problem or "simple key" in (error.context or "")
    return Diagnostic(
        code="yaml-syntax",
        headline=f"this is not valid YAML: {problem}",
        span=began if ends and began else _inside(lines, line, column),
        notes=(Note(text="it was opened here", span=began),) if began and not ends else (),
        help=advice,
    )


def _inside(lines: Lines, line: int, column: int) -> Span:
    """Make a span; what is missing at the end of a text is blamed on the last line that says something."""
    last = max((index for index, text in enumerate(lines.lines) if text.strip()), default=0)
    return lines.span(last, len(lines.lines[last])) if line > last else lines.span(line, column)


def _is_open(error: yaml.MarkedYAMLError) -> bool:
    """Whether the parser was inside a bracket, a quote or a key, which may be what is not closed."""
    return any(word in (error.context or "") for word in ("flow", "quoted", "simple key"))


def _tab(span: Span) -> Diagnostic:
    return Diagnostic(
        code="yaml-tab",
        headline="a line is indented with a tab, which YAML does not allow",
        span=span,
        help="indent with spaces, two for each level",
    )


def _alias(span: Span, written: str) -> Diagnostic:
    return Diagnostic(
        code="yaml-alias",
        headline=f"`{written}` is a YAML anchor or alias; recipes have none",
        span=span,
        help="refer to another key with ${a.b}, or put what is shared into a group of conf/",
    )


def _tag(span: Span, tag: str) -> Diagnostic:
    return Diagnostic(
        code="yaml-tag",
        headline=f"`{tag.replace('tag:yaml.org,2002:', '!!')}` is a YAML tag; recipes have none",
        span=span,
        help="remove it; quote a text that must start with an exclamation mark",
    )


def _too_much(span: Span, *, deep: bool) -> Diagnostic:
    what = f"is nested more than {MAX_DEPTH} levels deep" if deep else f"has more than {MAX_NODES:,} values"
    return Diagnostic(code="recipe-too-large", headline=f"the recipe {what}", span=span)


def _too_large(source: str) -> Diagnostic:
    return _file_finding(source, "is larger than 1 MiB", code="recipe-too-large")


def _no_mapping(span: Span, source: str) -> Diagnostic:
    return Diagnostic(
        code="wrong-type",
        headline=f"{source} must hold a mapping, keys with values",
        span=span,
        help="write one `key: value` a line",
    )


def _file_finding(source: str, what: str, span: Span | None = None, code: str = "unreadable-recipe") -> Diagnostic:
    return Diagnostic(code=code, headline=f"{source} {what}", span=span)
