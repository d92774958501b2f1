"""A value that cannot stand where it stands: wrong type, out of range, or none of the words allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from mlops_compiler.diagnostics import Diagnostic, Note, did_you_mean, nearest
from mlops_compiler.frontend.domains import is_domain
from mlops_compiler.frontend.traps import unquoted_word
from mlops_compiler.frontend.wording import dotted, expected, given
from mlops_compiler.ir.domain import DOMAINS

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.frontend.shape import Shape
    from mlops_compiler.frontend.yaml_spans import KeyPath

_FEW = 7
_NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_"


def mismatch(path: KeyPath, shape: Shape | None, value: Any, provenance: Provenance) -> Diagnostic:
    """Say what is expected at a place, and what stands there."""
    span = provenance.value_span(path)
    if is_domain(value) and not (shape is not None and shape.is_searchable):
        return _no_list(path, value, provenance) if path[0] == "prepare" else misplaced_domain(path, provenance)
    if shape is None:
        return Diagnostic(code="invalid-value", headline=f"`{dotted(path)}` cannot be {given(value)}", span=span)
    if shape.is_searchable and isinstance(value, dict):
        return _no_domain(path, value, span)
    if (words := _words(shape)) and isinstance(value, str) and not _has_type(shape, value):
        return _no_word(path, shape, value, span, words)
    if (pattern := _pattern(shape)) is not None and isinstance(value, str):
        return _no_match(path, value, span, pattern)
    right_type = _has_type(shape, value)
    return Diagnostic(
        code="out-of-range" if right_type else "wrong-type",
        headline=f"`{dotted(path)}` must be {expected(shape)}, not {given(value)}",
        span=span,
        help=None if right_type else _help(shape, value, unquoted_word(path, provenance)),
    )


def misplaced_domain(path: KeyPath, provenance: Provenance) -> Diagnostic:
    """Say that nothing is searched at a place."""
    return Diagnostic(
        code="misplaced-domain",
        headline=f"`{dotted(path)}` cannot be searched",
        span=provenance.value_span(path),
        notes=(Note(text="a search domain may stand for a parameter of a model, and under `prepare`"),),
        help="name models side by side instead" if path[0] == "models" else "write the value itself",
    )


def _no_list(path: KeyPath, value: dict[str, Any], provenance: Provenance) -> Diagnostic:
    """Say of a domain of the preparation that it has no list: with one it would not have come here."""
    headline = f"`{dotted(path)}`: `{next(iter(value))}` takes a list"
    return Diagnostic(code="invalid-value", headline=headline, span=provenance.value_span(path))


def no_name(what: str, span: Span) -> Diagnostic:
    """Say that a text is no name."""
    return Diagnostic(
        code="invalid-value",
        headline=f"{what} is no name",
        span=span,
        help="a name is a letter, then letters, digits, `_` and `-`, 64 at most",
    )


def _no_domain(path: KeyPath, value: dict[str, Any], span: Span) -> Diagnostic:
    name = str(next(iter(value), ""))
    return Diagnostic(
        code="unknown-kind",
        headline=f"`{dotted(path)}` is a mapping, and no search domain",
        span=span,
        help=did_you_mean(name, DOMAINS, otherwise="a search domain is a mapping with one of"),
    )


def _no_word(path: KeyPath, shape: Shape, value: str, span: Span, words: list[str]) -> Diagnostic:
    found = nearest(value, words)
    if len(words) <= _FEW:
        headline = f"`{dotted(path)}` must be {expected(shape)}, not {given(value)}"
        help_ = None if found is None else f"did you mean `{found}`?"
    else:
        headline = f"`{dotted(path)}` cannot be {given(value)}"
        help_ = did_you_mean(value, words, otherwise="it is one of")
    return Diagnostic(code="invalid-value", headline=headline, span=span, help=help_)


def _no_match(path: KeyPath, value: str, span: Span, pattern: str) -> Diagnostic:
    if pattern.startswith(_NAME_PATTERN):
        return no_name(f"`{dotted(path)}`: `{value}`", span)
    return Diagnostic(
        code="invalid-value",
        headline=f"`{dotted(path)}` cannot be {given(value)}",
        span=span,
        help=f"it must match {pattern}",
    )


def _words(shape: Shape) -> list[str]:
    return [
        word
        for arm in shape.arms
        if get_origin(arm.type) is Literal
        for word in get_args(arm.type)
        if isinstance(word, str)
    ]


def _pattern(shape: Shape) -> str | None:
    rules = [*shape.rules, *(rule for arm in shape.arms for rule in arm.rules)]
    patterns = (getattr(rule, "pattern", None) for rule in rules)
    return next((pattern for pattern in patterns if isinstance(pattern, str)), None)


def _has_type(shape: Shape, value: Any) -> bool:
    kinds = {arm.type for arm in shape.arms}
    if isinstance(value, bool):
        return bool in kinds
    return type(value) in kinds or (isinstance(value, int) and float in kinds)


def _help(shape: Shape, value: Any, word: str | None) -> str | None:
    kinds = {arm.type for arm in shape.arms}
    if isinstance(value, bool) and (str in kinds or _words(shape)):
        shown = word or str(value).lower()
        return f'quote it: "{shown}"' + ("; YAML reads it as true or false" if word else "")
    if isinstance(value, int | float) and str in kinds:
        return f'quote it: "{value}"'
    if isinstance(value, str) and kinds & {int, float} and _is_number(value):
        return "remove the quotes"
    if value is None:
        return "give it a value, or remove the key"
    if any(get_origin(kind) in {tuple, list} for kind in kinds) and not isinstance(value, dict | list):
        return f"write a list: [{value}]"
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
