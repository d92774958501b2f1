"""Segments are files that are added and never changed: what services log, beside the objects and under readable names.

A segment's name sorts by the time it was written, so that a reader goes on where it was: ``predictions/churn.test/
2026-11-26/143015.123456-1f0c2b3a.parquet``. It appears whole, or not at all.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_compiler.places import open_place, place_errors
from mlops_compiler.store.failures import unopened, unreadable
from mlops_compiler.store.objects import open_objects

if TYPE_CHECKING:
    from mlops_compiler.store.location import StoreLocation

PREDICTIONS, LABELS, TRAFFIC = "predictions", "labels", "traffic"
"""The kinds of segments: rows that were answered, outcomes that came later, and what requests met with."""


class Segments:
    """The segments of one kind in one log.

    Args:
        location: The store.
        kind: What they hold.
        log: The name of the service that writes it, as `records.service_name` says; that of the recipe alone, from when
            its environments shared a service.

    Raises:
        EngineError: The store cannot be opened.
    """

    def __init__(self, location: StoreLocation, kind: str, log: str) -> None:
        self._objects = open_objects(location)
        self._prefix = f"{kind}/{log}"
        self._files: Any
        try:
            self._files, self._root = open_place(str(location.folder or location.url))
        except (ImportError, ValueError, OSError) as error:
            raise unopened(location.shown, error) from error

    def append(self, content: bytes, *, suffix: str = "parquet", at: datetime | None = None) -> str:
        """Add a segment; returns its name.

        Args:
            content: What it holds.
            suffix: Of its name.
            at: The time that it is named after; now, where it is not given.

        Raises:
            EngineError: It cannot be written.
        """
        now = at or datetime.now(UTC)
        name = f"{self._prefix}/{now:%Y-%m-%d}/{now:%H%M%S.%f}-{uuid.uuid4().hex[:8]}.{suffix}"
        self._objects.publish(name, content)
        return name

    def names(self, after: str = "") -> list[str]:
        """List the names of segments that sort after a name, the oldest first."""
        return list(self.sizes(after))

    def sizes(self, after: str = "") -> dict[str, int]:
        """Give the bytes of segments by name, as `names` lists them."""
        try:
            found = self._files.find(f"{self._root}/{self._prefix}", detail=True)
        except FileNotFoundError:
            return {}
        except place_errors() as error:
            raise unreadable(self._prefix, error) from error
        sizes = {path[path.index(f"/{self._prefix}/") + 1 :]: int(about["size"]) for path, about in found.items()}
        return {name: sizes[name] for name in sorted(sizes) if name > after}

    def read(self, name: str) -> bytes:
        """Read a segment.

        Raises:
            EngineError: It cannot be read.
        """
        try:
            content: bytes = self._files.cat_file(f"{self._root}/{name}")
        except place_errors() as error:
            raise unreadable(name, error) from error
        return content

    def time(self, name: str) -> datetime:
        """Give the time that a segment is named after."""
        day, _, rest = name.removeprefix(f"{self._prefix}/").partition("/")
        return datetime.strptime(f"{day} {rest.partition('-')[0]}+0000", "%Y-%m-%d %H%M%S.%f%z")

    def remove(self, name: str) -> None:
        """Remove a segment, when it has been kept long enough; another may have done so.

        Raises:
            EngineError: It cannot be removed.
        """
        try:
            self._files.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            pass
        except place_errors() as error:
            raise unreadable(name, error) from error
