"""Where things are kept and what runs: the store, its database, its disk, and the engines of its services."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A store.

    Attributes:
        shown: Where it is.
        database: What keeps its metadata.
        free: Bytes that are free on its disk; None where that is not ours to know.
        of: Bytes that the disk has.
        counts: How many of each kind of record there are.
        is_empty: Whether nothing was ever recorded.
    """

    shown: str
    database: str
    free: int | None
    of: int | None
    counts: Sequence[tuple[str, int]]
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine of Ray that serves something.

    Attributes:
        address: Where it is.
        pid: Its process, where this store started it.
        lives: Whether that process lives; None where it is not ours, or not on this machine.
        services: What it serves.
    """

    address: str
    pid: int | None
    lives: bool | None
    services: Sequence[str]


def place_of(store: StoreReader) -> Place:
    """Tell of a store what can be told at once."""
    location, folder = store.location, store.location.folder
    disk = shutil.disk_usage(folder) if folder is not None and folder.exists() else None
    return Place(
        shown=location.shown,
        database=store.database_shown or str(location.sqlite or "none"),
        free=disk.free if disk else None,
        of=disk.total if disk else None,
        counts=store.counts(),
        is_empty=store.is_empty,
    )


def engines(deployments: Sequence[Deployment]) -> list[Engine]:
    """List the engines that serve, and whether their processes live."""
    import psutil

    found: dict[tuple[str, int | None], list[str]] = {}
    for item in deployments:
        found.setdefault((item.address, item.pid), []).append(item.named)
    return [
        Engine(address=address, pid=pid, lives=None if pid is None else psutil.pid_exists(pid), services=services)
        for (address, pid), services in found.items()
    ]
