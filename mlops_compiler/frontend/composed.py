"""A composed recipe: plain data without references, and where each piece of it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.frontend.provenance import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What one job of a command line is about.

    Attributes:
        config: The composed recipe; JSON-like, with every reference resolved.
        provenance: Where each key and value of it was written.
        recipe_name: What the recipe was called by: the name of its file.
        recipe_path: The file of the recipe that was chosen.
        root: The folder that the source's path is relative to: that of the file that names it, or, where the
            command line does, that of the recipe.
        overrides: The job's overrides, as written.
        job_num: The number of the job within a sweep; None outside one.
    """

    config: dict[str, Any]
    provenance: Provenance
    recipe_name: str
    recipe_path: Path
    root: Path
    overrides: tuple[str, ...]
    job_num: int | None
