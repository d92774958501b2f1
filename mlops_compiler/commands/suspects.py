"""What a run found of its data that no recipe can declare: features that tell the target almost by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.analysis.lineage import lineage
from mlops_compiler.analysis.lints.engine import allowed
from mlops_compiler.diagnostics import Diagnostic, Note, Severity, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.analysis.lineage import Lineage, Trail
    from mlops_compiler.driver import Compiled
    from mlops_compiler.frontend.yaml_spans import KeyPath


def leak_suspects(summary: Mapping[str, Any], compiled: Compiled) -> tuple[Diagnostic, ...]:
    """Tell of the features that the preparation found suspicious, unless the recipe allows it.

    Args:
        summary: What the stage `prepare` recorded.
        compiled: The recipe.
    """
    found = summary.get("suspects", [])
    if not found or "leak-suspect" in allowed(compiled.recipe):
        return ()
    seen = lineage(compiled.program)
    trails = {trail.feature: trail for trail in seen.trails}
    return tuple(_told(item, trails.get(item["feature"]), seen, compiled) for item in found)


def _told(item: Mapping[str, Any], trail: Trail | None, seen: Lineage, compiled: Compiled) -> Diagnostic:
    feature, target = item["feature"], compiled.recipe.objective.target
    path: KeyPath = ("data", "columns", feature.removesuffix("=*"))
    notes: tuple[Note, ...] = ()
    if trail is not None and trail.is_made:
        path, notes = ("prepare", seen.steps[trail.first][0]), (Note(text=f"it comes from {listing(trail.sources)}"),)
    return Diagnostic(
        code="leak-suspect",
        headline=f"feature `{feature}` alone predicts `{target}` with {item['measure']} of {item['score']:.3f}",
        span=compiled.composed.provenance.key_span(path),
        notes=(*notes, Note(text="scored on the training rows; a feature of honest data hardly reaches 0.98")),
        help="is it known before the outcome? If not, say `known: after_outcome`; if so, allow `leak-suspect`",
        severity=Severity.WARNING,
    )
