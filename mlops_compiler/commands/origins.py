"""What a run records of itself before it starts: its composed recipe, the environment, the code. It never fails a run.

Kept in the run's summary under ``recipe`` (the digest of a JSON object), ``environment`` and ``code``; `diff` reads
them back.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import mask
from mlops_compiler.plan.stages import VERSIONS

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.driver import Planned
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.writer import StoreWriter

LIBRARIES = ("polars", "pandera", "scikit-learn", "torch", "ray", "optuna", "numpy", "pydantic", "hydra-core")
_PATIENCE = 1.0
"""Seconds that git may take; the folder of a recipe may lie on a slow disk."""


def origins(planned: Planned, store: StoreWriter) -> dict[str, Any]:
    """Collect it; the recipe is put into the store."""
    return {
        "recipe": store.objects.put(recipe_text(planned.compiled.recipe).encode()),
        "environment": environment(),
        "code": code(planned.compiled.composed.recipe_path.parent),
    }


def recipe_text(recipe: Recipe) -> str:
    """Write a composed recipe as JSON: its keys in order, for the order of steps has a meaning, and no password."""
    # By itself: the objective of a forecast has become one that the type of the section does not name.
    objective = recipe.objective.model_dump(mode="json", by_alias=True)
    said = {"objective": objective, **recipe.model_dump(mode="json", by_alias=True, exclude={"objective"})}
    return json.dumps(_masked(said), ensure_ascii=False, separators=(",", ":"))


def _masked(value: Any) -> Any:
    """Mask text by text: in the JSON of them all, an address could seem to go on in the next text."""
    match value:
        case str():
            return mask(value)
        case list():
            return [_masked(item) for item in value]
        case dict():
            return {key: _masked(item) for key, item in value.items()}
    return value


def environment() -> dict[str, Any]:
    """Name what results depend on beside the recipe and the data."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def code(folder: Path) -> dict[str, Any]:
    """Name the version of the program and of its stages, and the commit of the recipe's folder where git knows one."""
    return {"mlops-compile": _version("mlops-compile"), **commit(folder), "stages": VERSIONS}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def commit(folder: Path) -> dict[str, Any]:
    """Ask git for the commit of a folder, and whether files that it tracks there were changed since.

    Returns:
        ``commit`` and ``dirty``; both None where there is no git, no repository or no answer in time.
    """
    lines = _git(folder).splitlines()
    found = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), None)
    if found is None or found == "(initial)":
        return {"commit": None, "dirty": None}
    return {"commit": found, "dirty": any(not line.startswith("#") for line in lines)}


def _git(folder: Path) -> str:
    words = ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", "."]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, and a folder of ours
            ["git", "--no-optional-locks", "-C", str(folder), *words],  # noqa: S607 - the git of the user's path
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
