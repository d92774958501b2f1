"""A rule finds what is legal in a recipe and still unwise; how much that weighs depends on the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Note, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.frontend.yaml_spans import KeyPath
    from mlops_compiler.ir.program import Program
    from mlops_compiler.recipe.recipe import Recipe

OFF, WARNING, ERROR = None, Severity.WARNING, Severity.ERROR

Levels = dict[str, Severity | None]
"""Environment to severity; none where the rule is off."""


def levels(development: Severity | None, test: Severity | None, production: Severity | None) -> Levels:
    """Say how much a rule weighs in each environment."""
    return {"development": development, "test": test, "production": production}


ADVICE = levels(WARNING, WARNING, WARNING)
"""Worth a word everywhere, a reason to stop nowhere."""
DUTY = levels(OFF, WARNING, ERROR)
"""What a model in production owes to others."""
LAW = levels(ERROR, ERROR, ERROR)
"""What makes scores wrong, wherever they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a rule looks at.

    Attributes:
        recipe: The recipe, valid.
        program: Its program, right in columns and types.
        places: Where the recipe says what.
        environ: The environment variables, where secrets would be read from.
    """

    recipe: Recipe
    program: Program
    places: Provenance
    environ: Mapping[str, str]

    def at(self, *path: str | int) -> Span:
        """The place of a value, or of the nearest key above that is written."""
        return self.places.value_span(path)

    def key(self, *path: str | int) -> Span:
        """The place of a key, or of the nearest one above that is written."""
        return self.places.key_span(path)

    def writes(self, *path: str | int) -> bool:
        """Whether somebody wrote a key, in a file or on the command line."""
        wanted: KeyPath = path
        return wanted in self.places.origins


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found; the rule gives it its code, and the environment its weight."""

    headline: str
    span: Span | None
    help: str | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One best practice.

    Attributes:
        code: Its name: the code of what it finds, and what `allow` lists.
        check: Finds where a recipe breaks it.
        levels: How much that weighs.
    """

    code: str
    check: Callable[[Subject], Iterator[Finding]]
    levels: Levels
