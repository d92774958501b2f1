"""The store as a dashboard sees it: opened once there is something to open, and again where it was made anew."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from mlops_compiler.store.reader import StoreReader, open_reader

if TYPE_CHECKING:
    from mlops_compiler.store.location import StoreLocation


class Window:
    """Gives the store to whoever draws a page; from several threads, too.

    Args:
        location: Where the store is, or will be.
    """

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._lock = Lock()
        self._open: StoreReader | None = None
        self._inode: int | None = None

    def store(self) -> StoreReader:
        """Give the store; an empty one while there is none.

        Raises:
            EngineError: It is there, and cannot be read.
        """
        with self._lock:
            inode = self._seen()
            if self._open is None or self._open.is_empty or inode != self._inode:
                self._open, self._inode = open_reader(self.location), inode
            return self._open

    def _seen(self) -> int | None:
        """Tell the file of the metadata from another one that took its place; None where a server keeps them."""
        path = self.location.sqlite
        return path.stat().st_ino if path is not None and path.exists() else None
