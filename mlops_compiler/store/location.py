"""Where a store is: small, picklable, given to every process that reads or writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLocation:
    """The place of a store.

    Attributes:
        url: An absolute folder, or an fsspec URL (``s3://bucket/folder``).
        database: An SQLAlchemy URL; None for SQLite inside the folder.
    """

    url: str
    database: str | None = None

    @property
    def folder(self) -> Path | None:
        """The folder, where the store is one."""
        if self.url.startswith("file://"):
            return Path(self.url.removeprefix("file://"))
        return None if "://" in self.url else Path(self.url)

    @property
    def shown(self) -> str:
        """The place as messages name it: without the user and the password that a URL may carry."""
        return re.sub(r"(?<=://)[^/]*@", "", self.url)

    @property
    def sqlite(self) -> Path | None:
        """The SQLite file, where the metadata are in one of the store's own."""
        folder = self.folder
        return folder / "metadata.db" if folder is not None and self.database is None else None
