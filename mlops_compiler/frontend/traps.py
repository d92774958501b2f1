"""Where a text and a truth may both stand, YAML 1.1 decides: an unquoted `Yes` is true, which nobody means.

Only there is it refused; where no text may stand, `nullable: yes` is as good as `true`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import COMMAND_LINE, Diagnostic
from mlops_compiler.frontend.shape import Shape, shape_of
from mlops_compiler.frontend.wording import dotted
from mlops_compiler.frontend.yaml_spans import KeyPath, written
from mlops_compiler.recipe.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.frontend.provenance import Provenance

WORDS = {"yes", "no", "on", "off", "y", "n"}


def traps(config: dict[str, Any], provenance: Provenance) -> Iterator[Diagnostic]:
    """Find values that a text was meant to be, and that YAML read as true or false."""
    for path in _truths(shape_of(Recipe), config, ()):
        if (word := unquoted_word(path, provenance)) is not None:
            yield Diagnostic(
                code="yaml-truth",
                headline=f"`{dotted(path)}` may be a text or a truth, and YAML reads `{word}` as a truth",
                span=provenance.value_span(path),
                help=f'quote it: "{word}"; or write true or false',
            )


def unquoted_word(path: KeyPath, provenance: Provenance) -> str | None:
    """Return the word that YAML took for a truth, if one is written at a place of a file."""
    span = provenance.value_span(path)
    word = written(span)
    return word if span.source != COMMAND_LINE and word.lower() in WORDS else None


def _truths(shape: Shape | None, value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if shape is None:
        return
    if isinstance(value, bool) and {str, bool} <= {arm.type for arm in shape.arms}:
        yield path
    arm = shape.arm_for(value)
    if arm is None or not isinstance(value, dict | list):
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _truths(arm.child(key), item, (*path, key))
