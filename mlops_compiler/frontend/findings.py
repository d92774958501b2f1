"""Pydantic's errors become findings: one for each place, said from the models' own shapes.

Pydantic puts tags of unions between the keys, and says things once for each arm; here that is read away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from mlops_compiler.diagnostics import Diagnostic, Span, did_you_mean, nearest
from mlops_compiler.frontend.domains import is_domain
from mlops_compiler.frontend.mismatch import mismatch, misplaced_domain, no_name
from mlops_compiler.frontend.shape import Shape, shape_of
from mlops_compiler.frontend.unknown_keys import unknown_key
from mlops_compiler.frontend.wording import dotted, given
from mlops_compiler.ir.domain import DOMAINS
from mlops_compiler.recipe.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.frontend.yaml_spans import KeyPath

_QUOTED = re.compile(r"`([^`]+)`")
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """An error of Pydantic's, found again in the recipe.

    Attributes:
        path: The keys that lead there.
        shape: What may stand there; None where nothing is known.
        value: What stands there.
        parent: What may stand one level above.
        is_key: Whether the key itself is wrong, not its value.
    """

    path: KeyPath
    shape: Shape | None
    value: Any
    parent: Shape | None
    is_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Makes findings about one composed recipe."""

    config: dict[str, Any]
    provenance: Provenance

    def of(self, error: ValidationError) -> Iterator[Diagnostic]:
        """Iterate over the findings of a validation; there is at least one."""
        some = False
        details = error.errors(include_url=False)
        for detail in details:
            if (located := self._locate(detail["loc"])) is not None:
                some = True
                yield self._finding(located, detail)
        if not some:
            yield Diagnostic(code="invalid-value", headline=details[0]["msg"], span=self.provenance.start)

    def _locate(self, location: tuple[str | int, ...]) -> Located | None:
        """Follow a location through the shapes; None where it is about an arm that the value is not."""
        shape: Shape | None = shape_of(Recipe)
        parent: Shape | None = None
        path: KeyPath = ()
        value: Any = self.config
        for part in location:
            if part == "[key]":
                return Located(path=path, shape=shape, value=value, parent=parent, is_key=True)
            if shape is not None and (shape.discriminator is not None or len(shape.arms) > 1):
                arm = shape.arm_for(value)
                if not isinstance(value, dict | list) or arm is None:
                    break
                if shape.discriminator is None and not _is_label(str(part), arm):
                    return None
                shape = arm
                continue
            parent = shape if shape is None else shape.arms[0]
            path, value = (*path, part), _item(value, part)
            shape = None if parent is None else parent.child(part)
        return Located(path=path, shape=shape, value=value, parent=parent)

    def _finding(self, located: Located, detail: ErrorDetails) -> Diagnostic:  # noqa: PLR0911 - a table
        if located.is_key:
            return self._wrong_key(located)
        match detail["type"]:
            case "missing" if isinstance(located.path[-1], str):
                return self._missing(located)
            case "extra_forbidden":
                return unknown_key(located.path, located.parent, self.provenance)
            case "union_tag_invalid":
                return self._unknown_kind(located)
            case "union_tag_not_found":
                return self._no_kind(located)
            case "too_short" | "string_too_short":
                return self._empty(located)
            case "value_error" if located.shape is not None and located.shape.is_searchable:
                return self._not_searchable(located, detail["msg"].removeprefix("Value error, "))
            case "value_error":
                return self._invalid(located, detail["msg"].removeprefix("Value error, "))
            case "missing":
                return self._whole(located)
        return mismatch(located.path, located.shape, located.value, self.provenance)

    def _whole(self, located: Located) -> Diagnostic:
        path = located.path[:-1]
        return mismatch(path, located.parent, self._value_at(path), self.provenance)

    def _value_at(self, path: KeyPath) -> Any:
        value: Any = self.config
        for part in path:
            value = value[part]
        return value

    def _not_searchable(self, located: Located, message: str) -> Diagnostic:
        """Blame a plain value, or the first value of a domain that cannot stand there."""
        shape, value, path = located.shape, located.value, located.path
        name = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else None
        if shape is None or name not in DOMAINS:
            return mismatch(path, shape, value, self.provenance)
        items = value[name] if isinstance(value[name], list) else []
        for index, item in enumerate(items):
            if not shape.allows(item):
                return mismatch((*path, name, index), shape.without_domains, item, self.provenance)
        return self._invalid(located, message)

    def _missing(self, located: Located) -> Diagnostic:
        *above, key = located.path
        section = f"`{dotted(tuple(above))}`" if above else "the recipe"
        about = None if located.parent is None else located.parent.describe(str(key))
        return Diagnostic(
            code="missing-key",
            headline=f"{section} needs `{key}`",
            span=self.provenance.key_span(tuple(above)),
            help=f"add `{key}:`" + (f" ({_small(about)})" if about else ""),
        )

    def _unknown_kind(self, located: Located) -> Diagnostic:
        shape, value = located.shape, located.value
        key = (shape.discriminator if shape else None) or "kind"
        kind, known = value[key], list(shape.sections) if shape else []
        path = (*located.path, key)
        if is_domain(kind):
            return misplaced_domain(path, self.provenance)
        if not isinstance(kind, str):
            headline = f"`{dotted(path)}` must be a name, not {given(kind)}"
            return self._at_value(path, "wrong-type", headline, did_you_mean("", known, otherwise="it is one of"))
        headline = f"there is no {_thing(path, key)} `{kind}`"
        return self._at_value(path, "unknown-kind", headline, did_you_mean(kind, known, otherwise="there are"))

    def _no_kind(self, located: Located) -> Diagnostic:
        key = (located.shape.discriminator if located.shape else None) or "kind"
        known = list(located.shape.sections) if located.shape else []
        *above, name = located.path
        meant = nearest(str(name), [other for other in self._value_at(tuple(above)) if other != name])
        kinds = did_you_mean("", known, otherwise=f"add `{key}:`, one of")
        return Diagnostic(
            code="missing-key",
            headline=f"`{dotted(located.path)}` needs `{key}`",
            span=self.provenance.key_span(located.path),
            help=f"did you mean `{dotted((*above, meant))}`? Else {kinds}" if meant else kinds,
        )

    def _wrong_key(self, located: Located) -> Diagnostic:
        key, span = str(located.path[-1]), self.provenance.key_span(located.path)
        allowed = located.parent.key_shape if located.parent else None
        if allowed is not None and get_origin(allowed.type) is Literal:
            section = dotted(located.path[:-1])
            return Diagnostic(
                code="unknown-key",
                headline=f"`{section}` has no key `{key}`",
                span=span,
                help=did_you_mean(key, map(str, get_args(allowed.type)), otherwise="it may have"),
            )
        return no_name(f"the key `{key}`", span)

    def _empty(self, located: Located) -> Diagnostic:
        needs = "" if isinstance(located.value, str) else ": it needs at least one entry"
        headline = f"`{dotted(located.path)}` is empty{needs}"
        return self._at_value(located.path, "out-of-range", headline, None)

    def _invalid(self, located: Located, message: str) -> Diagnostic:
        section = f"`{dotted(located.path)}`: " if located.path else ""
        return Diagnostic(code="invalid-value", headline=f"{section}{message}", span=self._narrowest(located, message))

    def _narrowest(self, located: Located, message: str) -> Span:
        """Blame the first key that the message names, if it stands in the section that is wrong."""
        for name in _QUOTED.findall(message):
            path = (*located.path, *name.split("."))
            if path in self.provenance.origins:
                return self.provenance.value_span(path)
        is_section = located.shape is not None and located.shape.is_section
        return (self.provenance.key_span if is_section else self.provenance.value_span)(located.path)

    def _at_value(self, path: KeyPath, code: str, headline: str, help_: str | None) -> Diagnostic:
        return Diagnostic(code=code, headline=headline, span=self.provenance.value_span(path), help=help_)


def _is_label(part: str, arm: Shape) -> bool:
    name = get_origin(arm.type) or arm.type
    return part.startswith((getattr(name, "__name__", str(name)), "constrained-", "function-"))


def _item(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part, _ABSENT)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _ABSENT


def _thing(path: KeyPath, key: str) -> str:
    if path[0] == "models":
        return "kind of model"
    if path[-2:] == ("intake", "by"):
        return "intake by"
    return "operation" if key == "op" else f"{key} of {path[-2]}"


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() or sentence[1:2] == " " else sentence
