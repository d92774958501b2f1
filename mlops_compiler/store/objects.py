"""Objects are named by the SHA-256 of their content: written whole or not at all, never changed, checked when read."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import uuid
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mlops_compiler.places import open_place, place_errors
from mlops_compiler.store.failures import corrupt, missing, unopened, unreadable, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.store.location import StoreLocation

_STALE_SECONDS = 24 * 3600


class Objects(Protocol):
    """A store of objects."""

    def get(self, digest: str) -> bytes:
        """Read an object and check its content against its name.

        Raises:
            EngineError: It is missing (`artifact-missing`) or damaged (`artifact-corrupt`).
        """

    def put(self, content: bytes) -> str:
        """Keep an object; returns its digest. Putting the same content again changes nothing."""

    def workspace(self) -> AbstractContextManager[Path]:
        """Give a folder of this machine to write files in, which is removed afterwards."""

    def take(self, file: Path) -> str:
        """Keep a file of the workspace as an object, whatever its size; returns its digest."""

    def exists(self, digest: str) -> bool:
        """Say whether an object is there."""

    def local_path(self, digest: str) -> Path | None:
        """The object's file, where it is one of this machine."""

    def place(self, digest: str) -> str | None:
        """Say where an object can be read by others: its file or URL; None where it is not there."""

    def publish(self, name: str, content: bytes) -> str:
        """Lay a copy under a readable name beside the objects; returns its place."""

    def discard(self, digest: str) -> None:
        """Remove an object that is damaged, so that it can be put again; nothing where it is not there."""

    def sweep(self) -> int:
        """Remove what writers that were killed left behind; returns how many files."""


def digest_of(content: bytes) -> str:
    """Hash content with SHA-256, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of_file(path: Path) -> str:
    """Hash a file's content with SHA-256, block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(digest: str, content: bytes) -> bytes:
    """Return content if it is what its name says.

    Raises:
        EngineError: It is not.
    """
    if digest_of(content) != digest:
        raise corrupt(digest)
    return content


class FolderObjects:
    """Objects in a folder: ``objects/ab/cdef...``, each synced to disk before it gets its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, digest: str) -> Path:
        return self._folder / "objects" / digest[:2] / digest[2:]

    def get(self, digest: str) -> bytes:
        """Read an object and check it."""
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise missing(digest) from None
        except place_errors() as error:
            raise unreadable(digest, error) from error
        return checked(digest, content)

    def put(self, content: bytes) -> str:
        """Keep an object."""
        digest = digest_of(content)
        path = self._path(digest)
        if not path.exists():
            self._write(path, content)
        return digest

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give a folder beside the objects: a file is kept by giving it its name."""
        with writing(str(self._folder)):
            folder = self._folder / "tmp" / uuid.uuid4().hex
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take(self, file: Path) -> str:
        """Keep a file."""
        digest = digest_of_file(file)
        path = self._path(digest)
        with writing(str(self._folder)):
            path.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb") as written:
                os.fsync(written.fileno())
            file.replace(path)
        return digest

    def publish(self, name: str, content: bytes) -> str:
        """Lay a copy under a readable name."""
        path = self._folder / name
        self._write(path, content)
        return str(path)

    def _write(self, path: Path, content: bytes) -> None:
        with writing(str(self._folder)):
            path.parent.mkdir(parents=True, exist_ok=True)
            waiting = self._folder / "tmp" / uuid.uuid4().hex
            waiting.parent.mkdir(exist_ok=True)
            try:
                with waiting.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                waiting.replace(path)
            finally:
                waiting.unlink(missing_ok=True)

    def exists(self, digest: str) -> bool:
        """Say whether an object is there."""
        return self._path(digest).exists()

    def local_path(self, digest: str) -> Path | None:
        """The object's file."""
        path = self._path(digest)
        return path if path.exists() else None

    def place(self, digest: str) -> str | None:
        """The object's file."""
        path = self.local_path(digest)
        return None if path is None else str(path)

    def discard(self, digest: str) -> None:
        """Remove an object."""
        with writing(str(self._folder)):
            self._path(digest).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove temporary files of a day ago and older."""
        old = [path for path in (self._folder / "tmp").glob("*") if time.time() - path.stat().st_mtime > _STALE_SECONDS]
        for path in old:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return len(old)


class RemoteObjects:
    """Objects behind an fsspec URL; an object appears there whole, as object stores write."""

    def __init__(self, location: StoreLocation) -> None:
        self._files: Any
        try:
            self._files, self._root = open_place(location.url)
        except (ImportError, ValueError, OSError) as error:
            raise unopened(location.shown, error) from error

    def _path(self, digest: str) -> str:
        return f"{self._root}/objects/{digest[:2]}/{digest[2:]}"

    def get(self, digest: str) -> bytes:
        """Read an object and check it."""
        try:
            content: bytes = self._files.cat_file(self._path(digest))
        except FileNotFoundError:
            raise missing(digest) from None
        except place_errors() as error:
            raise unreadable(digest, error) from error
        return checked(digest, content)

    def put(self, content: bytes) -> str:
        """Keep an object."""
        digest = digest_of(content)
        if not self.exists(digest):
            self._write(self._path(digest), content)
        return digest

    def workspace(self) -> AbstractContextManager[Path]:
        """Give a folder of this machine."""
        return _local_folder()

    def take(self, file: Path) -> str:
        """Keep a file."""
        digest = digest_of_file(file)
        if not self.exists(digest):
            path = self._path(digest)
            with writing(self._root):
                self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                self._files.put_file(str(file), path)
        return digest

    def publish(self, name: str, content: bytes) -> str:
        """Lay a copy under a readable name."""
        self._write(f"{self._root}/{name}", content)
        return str(self._files.unstrip_protocol(f"{self._root}/{name}"))

    def _write(self, path: str, content: bytes) -> None:
        with writing(self._root):
            self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._files.pipe_file(path, content)

    def exists(self, digest: str) -> bool:
        """Say whether an object is there."""
        return bool(self._files.exists(self._path(digest)))

    def local_path(self, digest: str) -> Path | None:  # noqa: ARG002 - the protocol's
        """None: its files are elsewhere."""
        return None

    def place(self, digest: str) -> str | None:
        """The object's URL."""
        return str(self._files.unstrip_protocol(self._path(digest))) if self.exists(digest) else None

    def discard(self, digest: str) -> None:
        """Remove an object."""
        with writing(self._root):
            if self.exists(digest):
                self._files.rm_file(self._path(digest))

    def sweep(self) -> int:
        """Nothing: no temporary names are used there."""
        return 0


@contextmanager
def _local_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        yield Path(folder)


def open_objects(location: StoreLocation) -> Objects:
    """Open the objects of a store; creates nothing."""
    return FolderObjects(location.folder) if location.folder is not None else RemoteObjects(location)
