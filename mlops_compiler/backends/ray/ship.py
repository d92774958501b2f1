"""What travels to a cluster with a job: recipes and their small files, the compiler, its plugins. Large data stay.

All of it lies in one folder, which Ray copies to every machine of the job and puts first on the path of imports.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import DataError, Diagnostic, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mlops_compiler.diagnostics import Span

PLUGINS = "mlops_compile."
"""What the groups of entry points begin with in which plugins announce themselves."""
RECIPES = "recipes"
"""The folder of recipes inside the one that travels."""
AT_MOST = 64 * 2**20
"""Most bytes of a recipe's files that travel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that a recipe reads.

    Attributes:
        path: Where it lies here.
        span: Where the recipe names it.
    """

    path: Path
    span: Span | None


def ship(folder: Path, homes: Iterable[Path], root: Path, files: Iterable[Wanted]) -> None:
    """Lay out what travels.

    Args:
        folder: An empty folder.
        homes: The folders of the recipe and of those that it builds on; what the first one has goes before the others'.
        root: The folder that the recipe's files are relative to.
        files: What the recipe reads of the disk.

    Raises:
        DataError: Files are too large to travel, or lie outside the recipe's folder.
    """
    _code(folder)
    recipes = folder / RECIPES
    recipes.mkdir()
    for home in reversed(list(homes)):
        for text in [*home.glob("*.yaml"), *home.glob("*.yml")]:
            shutil.copy(text, recipes / text.name)
        for conf in (home.parent / "conf", home / "conf"):
            if conf.is_dir():
                shutil.copytree(conf, recipes / "conf", dirs_exist_ok=True)
    for wanted in _small(root, list(files)):
        place = recipes / wanted.path.resolve().relative_to(root.resolve())
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(wanted.path, place)


def _small(root: Path, files: list[Wanted]) -> Iterator[Wanted]:
    total = sum(wanted.path.stat().st_size for wanted in files)
    for wanted in files:
        if total > AT_MOST:
            largest = max(files, key=lambda item: item.path.stat().st_size)
            raise DataError([_too_large(largest, total)])
        if not wanted.path.resolve().is_relative_to(root.resolve()):
            raise DataError([_outside(wanted, root)])
        yield wanted


def _code(folder: Path) -> None:
    for found in _distributions():
        for name in _packages(found):
            _copy_package(name, folder)
        for file in found.files or ():
            if file.parent.name.endswith(".dist-info"):
                place = folder / file.parent.name / file.name
                place.parent.mkdir(exist_ok=True)
                shutil.copy(str(found.locate_file(file)), place)


def _distributions() -> Iterator[Distribution]:
    """Iterate over the compiler and the plugins that are installed here."""
    yield distribution("mlops-compile")
    groups = [name for name in entry_points().groups if name.startswith(PLUGINS)]
    names = {point.dist.name for group in groups for point in entry_points(group=group) if point.dist is not None}
    yield from (distribution(name) for name in sorted(names))


def _packages(found: Distribution) -> set[str]:
    points = [point for point in found.entry_points if point.group.startswith(PLUGINS) or point.name == found.name]
    return {point.module.partition(".")[0] for point in points}


def _copy_package(name: str, folder: Path) -> None:
    spec = find_spec(name)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        shutil.copytree(place, folder / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _too_large(wanted: Wanted, total: int) -> Diagnostic:
    return Diagnostic(
        code="too-large-to-ship",
        headline=f"the files of the recipe are too large to travel with a job: {total / 2**20:,.0f} MiB",
        span=wanted.span,
        notes=(Note(text=f"the largest is {wanted.path}; at most {AT_MOST // 2**20} MiB travel"),),
        help="let the recipe read them where the cluster can: in an object store, or by a path that all machines have",
    )


def _outside(wanted: Wanted, root: Path) -> Diagnostic:
    return Diagnostic(
        code="not-shippable",
        headline=f"{wanted.path} lies outside the folder of the recipe, and does not travel with a job",
        span=wanted.span,
        notes=(Note(text=f"what lies below {root} does"),),
        help="move it there, or name it by a path or address that all machines of the cluster have",
    )
