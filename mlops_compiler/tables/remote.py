"""Sources in object stores: each object is fetched once, and kept on this machine until it is another.

What an object holds is told by the tag that the store gives it, so that a plan asks for names and reads nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.places import open_place, place_errors

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Read

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """One object: its path in the store, and what changes when it does."""

    path: str
    tag: str


def is_remote(path: str) -> bool:
    """Say whether a path is a URL."""
    return "://" in path


def is_here(read: Read) -> bool:
    """Say whether there is such an object, and the store answers."""
    try:
        return bool(_objects(read, None)[1])
    except DataError:
        return False


def digest(read: Read) -> str | None:
    """Hash the tags of all objects; None where there is none, or the store does not answer."""
    try:
        _, found = _objects(read, None)
    except DataError:
        return None
    if not found:
        return None
    return hashlib.sha256("\n".join(f"{item.path} {item.tag}" for item in found).encode()).hexdigest()


def fetch(read: Read, span: Span | None = None) -> tuple[Path, ...]:
    """Bring all objects of a source to this machine, in order of their names; those that are here stay.

    Raises:
        DataError: The store does not answer, or does not give an object.
    """
    files, found = _objects(read, span)
    return tuple(_fetched(files, item, read, span) for item in found)


def _objects(read: Read, span: Span | None) -> tuple[Any, list[_Object]]:
    """List the objects of a source."""
    try:
        files, path = open_place(read.path)
        names = sorted(files.glob(path)) if not _GLOB.isdisjoint(path) else [path] if files.exists(path) else []
        told = [(name, files.info(name)) for name in names]
    except (ImportError, ValueError) as error:
        raise DataError([_unreachable(read, error, span)]) from error
    except place_errors() as error:
        raise DataError([_unreachable(read, error, span)]) from error
    return files, [_Object(path=name, tag=_tag(info)) for name, info in told if info.get("type") != "directory"]


def _tag(info: dict[str, Any]) -> str:
    """Take the store's own tag of the content; else size and time, as for a file."""
    tag = info.get("e_tag") or info.get("ETag") or info.get("md5Hash")
    return str(tag) if tag else f"{info.get('size')} {info.get('last_modified') or info.get('mtime')}"


def _fetched(files: Any, item: _Object, read: Read, span: Span | None) -> Path:
    scheme = read.path.partition("://")[0]
    here = _cache() / hashlib.sha256(f"{scheme}://{item.path}".encode()).hexdigest()[:32]
    place = here / hashlib.sha256(item.tag.encode()).hexdigest()[:16] / item.path.rpartition("/")[2]
    if place.exists():
        return place
    here.mkdir(parents=True, exist_ok=True)
    coming = Path(tempfile.mkdtemp(dir=here, prefix="coming-"))
    try:
        files.get_file(item.path, str(coming / place.name))
        for old in here.iterdir():
            if old != coming and not old.name.startswith("coming-"):
                shutil.rmtree(old)
        coming.rename(place.parent)
    except place_errors() as error:
        if place.exists():  # somebody else was quicker
            return place
        raise DataError([_unreachable(read, error, span)]) from error
    finally:
        shutil.rmtree(coming, ignore_errors=True)
    return place


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mlops-compile" / "sources"


def _unreachable(read: Read, error: Exception, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="source-missing",
        headline=f"the source {read.path} cannot be reached",
        span=span,
        notes=(Note(text=str(error).strip().split("\n", 1)[0][:300] or type(error).__name__),),
        help="keys, region and endpoint of an object store stand in the environment, as AWS_ACCESS_KEY_ID and the like",
    )
