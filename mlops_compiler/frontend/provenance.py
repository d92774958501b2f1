"""Who set each value of a recipe, and what that replaced: files as Hydra merged them, then overrides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Span
from mlops_compiler.frontend.domains import is_domain
from mlops_compiler.frontend.yaml_spans import KeyPath, Place, narrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value was set.

    Attributes:
        key: Its key.
        value: Its value.
        overrode: What had set it before.
    """

    key: Span
    value: Span
    overrode: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLayer:
    """A file that was merged.

    Attributes:
        data: What it says; `defaults` is no part of the result.
        places: Where it says so.
        start: Its first line.
        package: The section that it fills; none for a whole recipe.
    """

    data: Mapping[str, Any]
    places: Mapping[KeyPath, Place]
    start: Span
    package: KeyPath = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLayer:
    """An override that was applied; one that removes has no value."""

    token: str
    path: KeyPath
    value: Any = None
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origins of a composed recipe.

    Attributes:
        origins: The origin of every key and list item.
        start: The first line of the recipe's file, to blame for what nobody wrote.
    """

    origins: Mapping[KeyPath, Origin]
    start: Span

    @classmethod
    def of(cls, layers: Sequence[FileLayer | TokenLayer], start: Span) -> Provenance:
        """Follow a composition layer by layer."""
        root = _Node()
        for layer in layers:
            if isinstance(layer, TokenLayer):
                _merge_token(root, layer)
                continue
            node = root
            for key in layer.package:
                node = node.put(key, {}, Place(key=layer.start, value=layer.start))
            _merge_file(node, layer.data, layer.places)
        return cls(dict(root.flat()), start)

    def origin(self, path: KeyPath) -> Origin | None:
        """Return the origin of a key, or of the nearest key above it that has one; None above them all."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins[path] if path else None

    def key_span(self, path: KeyPath) -> Span:
        """Return where a key stands."""
        origin = self.origin(path)
        return self.start if origin is None else origin.key

    def value_span(self, path: KeyPath) -> Span:
        """Return where a value stands."""
        origin = self.origin(path)
        return self.start if origin is None else origin.value


def within(span: Span, text: str) -> Span:
    """Narrow a span to a word inside it, as a column in an expression; itself where it is not found."""
    return narrow(span, text)


@dataclass(slots=True, kw_only=True)
class _Node:
    """One place of the tree that the layers are merged into, as Hydra merges them: domains as a whole."""

    origin: Origin | None = None
    is_mapping: bool = True
    children: dict[str | int, _Node] = field(default_factory=dict)

    def put(self, key: str | int, value: Any, where: Place) -> _Node:
        """Set a key; a mapping on a mapping keeps what is there and where it was written first."""
        before = self.children.get(key)
        if before is not None and before.is_mapping and isinstance(value, dict) and not is_domain(value):
            return before
        origin = Origin(key=where.key, value=where.value, overrode=None if before is None else before.origin)
        self.children[key] = _Node(origin=origin, is_mapping=isinstance(value, dict))
        return self.children[key]

    def flat(self, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Origin]]:
        """Iterate over all origins beneath, with their paths."""
        for key, child in self.children.items():
            if child.origin is not None:
                yield (*path, key), child.origin
            yield from child.flat((*path, key))


def _merge_file(node: _Node, value: Any, places: Mapping[KeyPath, Place], path: KeyPath = ()) -> None:
    for key, item in _entries(value):
        here = (*path, key)
        if here != ("defaults",):
            _merge_file(node.put(key, item, places[here]), item, places, here)


def _merge_token(root: _Node, layer: TokenLayer) -> None:
    *above, last = layer.path
    node, place = root, _of_token(layer.token)
    for key in above:
        node = node.put(key, {}, place)
    if layer.removes:
        node.children.pop(last, None)
        return
    _merge_value(node.put(last, layer.value, place), layer.value, place.value)


def _merge_value(node: _Node, value: Any, span: Span) -> None:
    """File the parts of a value, each narrowed to where it seems to stand in the token."""
    start = 0
    for key, item in _entries(value):
        found = narrow(span, _as_written(key, item), start)
        if found != span:
            start = found.column - span.column + 1
        _merge_value(node.put(key, item, Place(key=found, value=found)), item, span)


def _entries(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _of_token(token: str) -> Place:
    key, equals, value = token.partition("=")
    whole = Span.of_token(token)
    if not equals or not value:
        return Place(key=whole, value=whole)
    return Place(key=Span.of_token(token, 1, len(key)), value=Span.of_token(token, len(key) + 2, len(value)))


def _as_written(key: str | int, item: Any) -> str:
    if isinstance(item, dict | list):
        return key if isinstance(key, str) else ""
    return str(item).lower() if isinstance(item, bool) else str(item)
