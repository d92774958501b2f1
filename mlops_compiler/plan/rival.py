"""The release in place: what a new one is compared with, and must beat where the recipe asks for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops import lifecycle as ops

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_compiler.ir.program import Program
    from mlops_compiler.plan.stages import Stage
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release

AGAINST = "release.against"
"""The ingredient that names the manifest of the release to be beaten."""


def in_place(recipe: str, store: StoreReader) -> Release | None:
    """Find the release that the strictest environment serves, else the last one; None where there is none."""
    live = store.foremost(recipe)
    return store.release(recipe, live.release if live else None)


def against(program: Program, store: StoreReader, make: Callable[[str | None], Sequence[Stage]]) -> tuple[Stage, ...]:
    """Make the stages of a program whose recipe may ask that the release in place is beaten.

    A release is not compared with itself: where the one in place is what these stages would make, they name the
    release that it was compared with.

    Args:
        program: The program.
        store: What is recorded.
        make: Makes the stages, for a release to be beaten or for none.
    """
    if not any("release" in bound.beats for bound in program.the(ops.Release)[1].criteria):
        return tuple(make(None))
    if (found := in_place(program.name, store)) is None:
        return tuple(make(None))
    if (record := store.stage_record(found.fingerprint)) is not None:
        same = tuple(make(record.ingredients.get(AGAINST)))
        if any(stage.fingerprint == found.fingerprint for stage in same):
            return same
    return tuple(make(found.manifest))
