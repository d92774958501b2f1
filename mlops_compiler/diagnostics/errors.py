"""One hierarchy of errors, each the bearer of diagnostics and of the exit code that the command ends with.

::

    MlopsError
    ├── RecipeError    1  the recipe (its text, composition, types, columns) is wrong
    ├── DataError      1  the data break the contract, or a request or file cannot be read
    ├── UsageError     2  the command line is wrong
    └── EngineError    3  Ray, the store or the service failed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.diagnostics.diagnostic import Diagnostic


class MlopsError(Exception):
    """The base of every error that a user may see.

    Args:
        diagnostics: All that the failing phase found; never empty.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(item.headline for item in self.diagnostics))

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Diagnostic, ...]]]:
        return type(self), (self.diagnostics,)


class RecipeError(MlopsError):
    """The recipe is wrong, in its text, its composition, its types or its meaning."""

    exit_code = 1


class DataError(MlopsError):
    """The data are missing, unreadable or break their contract."""

    exit_code = 1


class UsageError(MlopsError):
    """The command line is wrong."""

    exit_code = 2


class EngineError(MlopsError):
    """Ray, the store or the service failed, or cannot do what is asked."""

    exit_code = 3
