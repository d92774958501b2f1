"""What a recipe says of its data beside their columns, and the copies that are made of each version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note, Severity
from mlops_compiler.store.backup import Backup

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import StageRecord


def about_data(recipe: Recipe) -> dict[str, Any]:
    """What is kept with every version."""
    keeping = recipe.data.snapshot
    return {
        "owner": recipe.owner.model_dump() if recipe.owner else None,
        "licence": keeping.licence,
        "personal": list(keeping.personal),
        "retention": keeping.retention,
    }


def back_up(
    recipe: Recipe, store: StoreReader, record: StageRecord, span: Span | None
) -> tuple[list[str], list[Diagnostic]]:
    """Copy a version of the data, or a model, to each place that has none of it yet.

    Returns:
        The places that got a copy now, and a warning for each that could not be written: a run does not fail by it.
    """
    made, failed = list[str](), list[Diagnostic]()
    for url in recipe.data.snapshot.backups:
        try:
            backup = Backup(url)
            if not backup.has(record):
                backup.keep(record, store.objects)
                made.append(backup.location.shown)
        except EngineError as error:
            failed.append(_failed(url, error, span))
    return made, failed


def _failed(url: str, error: EngineError, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="backup-failed",
        headline=f"the data or the model could not be copied to {url.rsplit('@', maxsplit=1)[-1]}",
        span=span,
        notes=tuple(Note(text=item.headline) for item in error.diagnostics),
        help="mend the place, then: mlops-compile data archive recipe=...",
        severity=Severity.WARNING,
    )
