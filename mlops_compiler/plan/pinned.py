"""A recipe that takes a version which was kept, instead of its source as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.history import late_history
from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.recipe.data import ColumnContract
from mlops_compiler.recipe.sources import ParquetSource
from mlops_compiler.store.versions import find_version

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader


def pinned(recipe: Recipe, store: StoreReader, span: Span | None) -> Recipe:
    """Put the kept table in place of the source: what was joined and chosen then is in it.

    Raises:
        DataError: There is no such version, or its table is not on this machine.
    """
    version = find_version(store, recipe.name, recipe.data.version, span)
    path = store.objects.local_path(version.digest)
    if path is None:
        raise DataError([_elsewhere(version.number, span)])
    source = ParquetSource(kind="parquet", path=str(path))
    late = {name: ColumnContract(known="after_outcome", nullable=True) for name in late_history(recipe)}
    kept: dict[str, object] = {
        "source": source,
        "intake": None,
        "stack": {},
        "join": {},
        "references": {},
        "history": {},
        "where": None,
        "ignore": (),
        "fresh": None,
    }
    declared = {name: column for name, column in recipe.data.columns.items() if name not in recipe.data.ignore}
    promised = {name: column.model_copy(update={"like": None}) for name, column in declared.items()}
    kept["columns"] = {**promised, **late}
    data = recipe.data.model_copy(update=kept)
    objective = recipe.objective.model_copy(update={"target_is": None})
    return recipe.model_copy(update={"data": data, "objective": objective})


def _elsewhere(number: int, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="version-absent",
        headline=f"version {number} of the data is not in the store's folder",
        span=span,
        help="bring it back: mlops-compile data restore recipe=..., or give a store that is a folder",
    )
