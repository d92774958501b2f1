"""Work in progress, by name: there whole or not at all, replaced as it goes on, removed when it is done."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from mlops_compiler.places import open_place, place_errors
from mlops_compiler.store.failures import unopened, writing

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.store.location import StoreLocation

_BELOW = "tmp"
_BEGINS = "kept-"
"""How the names of what is kept begin, so that it is not taken for a file that is being written."""


class Scratch(Protocol):
    """Work in progress of a store."""

    def get(self, name: str) -> bytes | None:
        """Read what is kept under a name; None where nothing is, or it cannot be read."""

    def put(self, name: str, content: bytes) -> None:
        """Keep something under a name, in place of what was there.

        Raises:
            EngineError: It cannot be written.
        """

    def remove(self, name: str) -> None:
        """Forget it; nothing where nothing is kept."""


class FolderScratch:
    """Files below the store's ``tmp``, where what is older than a day is swept away with the rest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _BELOW

    def _path(self, name: str) -> Path:
        return self._folder / f"{_BEGINS}{name}"

    def get(self, name: str) -> bytes | None:
        """Read a file."""
        try:
            return self._path(name).read_bytes()
        except OSError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Write a file beside it, and give that its name."""
        with writing(str(self._folder)):
            self._folder.mkdir(parents=True, exist_ok=True)
            waiting = self._folder / uuid.uuid4().hex
            try:
                with waiting.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                waiting.replace(self._path(name))
            finally:
                waiting.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file."""
        with writing(str(self._folder)):
            self._path(name).unlink(missing_ok=True)


class RemoteScratch:
    """Objects below the store's ``tmp`` behind an fsspec URL; an object appears there whole."""

    def __init__(self, location: StoreLocation) -> None:
        self._files: Any
        try:
            self._files, root = open_place(location.url)
        except (ImportError, ValueError, OSError) as error:
            raise unopened(location.shown, error) from error
        self._root = f"{root}/{_BELOW}"

    def _path(self, name: str) -> str:
        return f"{self._root}/{_BEGINS}{name}"

    def get(self, name: str) -> bytes | None:
        """Read an object."""
        try:
            content: bytes = self._files.cat_file(self._path(name))
        except place_errors():
            return None
        return content

    def put(self, name: str, content: bytes) -> None:
        """Write an object."""
        with writing(self._root):
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(self._path(name), content)

    def remove(self, name: str) -> None:
        """Remove an object."""
        with writing(self._root):
            if self._files.exists(self._path(name)):
                self._files.rm_file(self._path(name))


def open_scratch(location: StoreLocation) -> Scratch:
    """Open the work in progress of a store; creates nothing."""
    return FolderScratch(location.folder) if location.folder is not None else RemoteScratch(location)
