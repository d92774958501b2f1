"""Copies of snapshots and models in other places: each is written with what is recorded of it, and read back."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.places import open_place
from mlops_compiler.store.failures import failure, unopened
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.objects import Objects, digest_of_file, open_objects
from mlops_compiler.store.records import StageRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.store.writer import StoreWriter


class Backup:
    """A place for copies: a folder, or an fsspec URL.

    Attributes:
        location: Where it is.
        objects: Its objects.
    """

    def __init__(self, url: str) -> None:
        self.location = StoreLocation(url=url if "://" in url else str(Path(url).absolute()))
        self.objects: Objects = open_objects(self.location)

    def keep(self, record: StageRecord, objects: Objects) -> None:
        """Write a snapshot or a model with what belongs to it and its record, and read all of it back.

        Raises:
            EngineError: It cannot be read or written, or comes back as something else.
        """
        for digest in record.outputs.values():
            self.objects.put(objects.get(digest))
            self.objects.get(digest)
        text = json.dumps(asdict(record), sort_keys=True, ensure_ascii=False)
        self.objects.publish(f"{_folder(record.recipe, record.name)}/{record.fingerprint}.json", text.encode())

    def has(self, record: StageRecord) -> bool:
        """Say whether a copy is there, with its record."""
        return all(map(self.objects.exists, record.outputs.values())) and self._is_recorded(record)

    def _is_recorded(self, record: StageRecord) -> bool:
        files, root = open_place(self.location.url)
        return bool(files.exists(f"{root}/{_folder(record.recipe, record.name)}/{record.fingerprint}.json"))

    def is_whole(self, record: StageRecord) -> bool:
        """Say whether a copy is there, and is what its name is the hash of."""
        return all(is_whole(self.objects, digest) for digest in record.outputs.values())

    def records(self, recipe: str) -> list[StageRecord]:
        """List what is kept of a recipe's data, the oldest first.

        Raises:
            EngineError: The place cannot be read.
        """
        return sorted(self._records(recipe), key=lambda record: record.started)

    def _records(self, recipe: str) -> Iterator[StageRecord]:

        files: Any
        try:
            files, root = open_place(self.location.url)
            names = sorted(files.glob(f"{root}/{_folder(recipe)}/*.json"))
            for name in names:
                yield StageRecord(**json.loads(files.cat_file(name)))
        except (ImportError, OSError) as error:
            raise unopened(self.location.shown, error) from error
        except (ValueError, TypeError) as error:
            raise failure("artifact-unreadable", f"the backup at {self.location.shown} cannot be read") from error

    def restore(self, record: StageRecord, store: StoreWriter) -> bool:
        """Bring a snapshot back into a store; returns whether it was gone or damaged there.

        Raises:
            EngineError: The copy is missing or damaged as well, or the store cannot be written.
        """
        lost = [digest for digest in record.outputs.values() if not is_whole(store.objects, digest)]
        for digest in lost:
            store.objects.discard(digest)
            store.objects.put(self.objects.get(digest))
        if store.stage_record(record.fingerprint) is None:
            store.record_stage(record)
            return True
        return bool(lost)


def is_whole(objects: Objects, digest: str) -> bool:
    """Say whether an object is there with the content that its name is the hash of."""
    from mlops_compiler.diagnostics import EngineError

    if (path := objects.local_path(digest)) is not None:  # of any size: it is read block by block
        with suppress(OSError):
            return digest_of_file(path) == digest
        return False
    try:
        objects.get(digest)
    except EngineError:
        return False
    return True


def _folder(recipe: str, stage: str = "snapshot") -> str:
    """Name the folder of what is recorded of a recipe's data, or of its models."""
    return f"{'models' if stage == 'train' else 'snapshots'}/{recipe}"
