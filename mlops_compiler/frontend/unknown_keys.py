"""A key that no model knows: misspelt, or in the wrong section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, did_you_mean, nearest
from mlops_compiler.frontend.shape import Shape, shape_of
from mlops_compiler.frontend.wording import dotted
from mlops_compiler.recipe.recipe import Recipe

if TYPE_CHECKING:
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.frontend.yaml_spans import KeyPath

_LEARNS = (
    "remove it: every step learns from the training rows of each fold alone, and for the release of all; "
    "held-out rows are never learned from"
)
_SCORES = (
    "remove it: trials are scored on the folds of the training rows alone; the holdout is touched once, after the "
    "selection"
)
# Keys that users of other tools would write for what the language does by itself: by section, `*` for any name.
BY_ITSELF: dict[tuple[str, ...], tuple[frozenset[str], str]] = {
    ("prepare", "*"): (frozenset({"fit", "fit_on", "fit_scope", "scope", "on", "train_only", "before_split"}), _LEARNS),
    ("search",): (frozenset({"on", "evaluate_on", "eval_on", "holdout", "test", "score_on", "tune_on"}), _SCORES),
    ("select",): (frozenset({"on", "evaluate_on", "holdout", "test", "score_on"}), _SCORES),
}


def unknown_key(path: KeyPath, section: Shape | None, provenance: Provenance) -> Diagnostic:
    """Say that a section does not have a key."""
    *above, last = path
    key, where = str(last), dotted(tuple(above))
    known = list(section.keys) if section is not None else []
    if (instead := _by_itself(tuple(map(str, above)), key)) is not None:
        return _finding(path, f"`{where}` has no key `{key}`", instead, provenance)
    headline = f"`{where}` has no key `{key}`" if above else f"a recipe has no section `{key}`"
    return _finding(path, headline, _help(key, where, known), provenance)


def _by_itself(above: tuple[str, ...], key: str) -> str | None:
    keys, instead = BY_ITSELF.get(above) or BY_ITSELF.get((*above[:-1], "*")) or (frozenset(), "")
    return instead if key in keys else None


def _help(key: str, where: str, known: list[str]) -> str | None:
    if "." in key:
        return f"write the parts of `{key}` as sections, one inside the other"
    if nearest(key, known) is None and (section := _elsewhere(key)) not in {None, where}:
        return f"`{key}` belongs in `{section}`"
    return did_you_mean(key, known, otherwise="its keys" if where else "the sections")


def _elsewhere(key: str) -> str | None:
    sections = shape_of(Recipe).keys
    return next((name for name, shape in sections.items() if key in shape.arms[0].keys), None)


def _finding(path: KeyPath, headline: str, help_: str | None, provenance: Provenance) -> Diagnostic:
    return Diagnostic(code="unknown-key", headline=headline, span=provenance.key_span(path), help=help_)
