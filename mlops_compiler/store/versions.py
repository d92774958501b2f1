"""The snapshots of a recipe as versions: 1 is the first table that was taken in, equal tables are one version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, listing

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import StageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A table as it was taken in, for ever.

    Attributes:
        number: From 1, in the order of time.
        record: The stage that took it in first.
    """

    number: int
    record: StageRecord

    @property
    def digest(self) -> str:
        """The hash of the table, by which it is kept."""
        return self.record.outputs["snapshot"]

    @property
    def about(self) -> dict[str, Any]:
        """What the recipe said of the data: owner, licence, retention, personal data."""
        return dict(self.record.summary.get("about", {}))


def versions(store: StoreReader, recipe: str) -> list[Version]:
    """List the versions of a recipe's data, the oldest first."""
    first: dict[str, StageRecord] = {}
    for record in store.stages(recipe, "snapshot"):
        first.setdefault(record.outputs["snapshot"], record)
    return [Version(number=number, record=record) for number, record in enumerate(first.values(), start=1)]


def find_version(store: StoreReader, recipe: str, number: int | None, span: Span | None = None) -> Version:
    """Find a version, the newest where no number is given.

    Raises:
        DataError: There is none, or none of that number.
    """
    found = versions(store, recipe)
    chosen = [item for item in found if number in (None, item.number)]
    if chosen:
        return chosen[-1]
    headline = f"the data of `{recipe}` have no version {number}" if found else f"no data of `{recipe}` are kept yet"
    mend = (
        f"there are {listing([str(item.number) for item in found])}; see mlops-compile data list recipe={recipe}"
        if found
        else f"take some in: mlops-compile recipe={recipe}"
    )
    raise DataError([Diagnostic(code="unknown-version", headline=headline, span=span, help=mend)])
