"""A file with the source's own columns gets those that the recipe's joins and looks back add, to the same bits.

A look back needs rows before those of the file. They are taken from the data that the release was trained on, as those
were taken in; a row of the file stands for one of the same group and time there. So a file that begins where those data
end, or that is a part of them, gets what intake would have given it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import TypeAdapter

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.ir.ops.intake import History, Join, Read
from mlops_compiler.tables.casts import cast_expression
from mlops_compiler.tables.history import look_back
from mlops_compiler.tables.joins import Joiner
from mlops_compiler.tables.table import must_be_here, stream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from mlops_compiler.store.reader import StoreReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """Completes rows as the recipe of a release completes those of its source.

    Attributes:
        manifest: That of the release.
        root: The folder that the paths of other tables are relative to.
        store: Holds the rows that the release was trained on.
        joined: What each join of the last file matched.
    """

    manifest: Mapping[str, Any]
    root: Path
    store: StoreReader
    joined: list[dict[str, Any]] = field(default_factory=list)

    def complete(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        """Add the columns that the release asks for and that the file does not have.

        A join or look back is done where the file has none of what it adds.

        Args:
            rows: The rows of the file, as it gives them.
            name: The name of the file, for messages.

        Raises:
            DataError: The file has neither the columns nor those that they come from; another table is not here.
        """
        self.joined.clear()
        for step in self._wanted(rows.columns):
            rows = self._join(step, rows, name) if step["op"] == "join" else self._look_back(step, rows, name)
        return rows

    @property
    def source(self) -> dict[str, Any]:
        """How the source writes CSV."""
        return dict(self.manifest.get("origin", {}).get("source", {}))

    def _wanted(self, given: Collection[str]) -> list[dict[str, Any]]:
        """Choose what has to be done, from the last to the first: what a chosen one reads is wanted as well."""
        wanted = {item["name"] for item in self.manifest["request"]} - set(given)
        chosen = []
        for step in reversed(self.manifest.get("origin", {}).get("steps", ())):
            made = _made(step)
            if wanted & made and not made & set(given):
                chosen.append(step)
                wanted |= {column for column in _reads(step) if column not in given}
        return chosen[::-1]

    def _join(self, step: Mapping[str, Any], rows: pl.DataFrame, name: str) -> pl.DataFrame:
        op, read = _adapter(Join).validate_python(step["fields"]), _adapter(Read).validate_python(step["read"])
        _must_have(f"join `{step['name']}`", _made(step), _reads(step), rows, name)
        must_be_here(read, self.root)
        joiner = Joiner.of(step["name"], op, stream(read, self.root).collect(Joiner.reads(op)))
        rows = joiner.meet(rows)
        tally = joiner.tally
        self.joined.append({"join": step["name"], "matched": tally.matched, "unmatched": tally.unmatched})
        return rows

    def _look_back(self, step: Mapping[str, Any], rows: pl.DataFrame, name: str) -> pl.DataFrame:
        op = _adapter(History).validate_python(step["fields"])
        reads = _reads(step)
        _must_have(f"history `{step['name']}`", _made(step), reads, rows, name)
        types = {column: self.manifest["origin"]["types"].get(column) for column in reads}
        if unknown := [column for column, kind in types.items() if kind is None]:
            raise DataError([_not_kept(step["name"], unknown)])
        ours = _typed(rows, types)
        keys = [op.time, *op.by]
        before = _typed(self._earlier(list(reads)), types)
        if op.by:
            before = before.join(ours.select(op.by).unique(), on=list(op.by), how="semi", nulls_equal=True)
        before = before.join(ours.select(keys), on=keys, how="anti", nulls_equal=True)
        seen = look_back(step["name"], op, pl.concat([before, ours]))
        return pl.concat([rows, seen.tail(rows.height).select(list(op.made))], how="horizontal")

    def _earlier(self, columns: list[str]) -> pl.DataFrame:
        """Read the rows that were taken in for the release, those as well that its recipe is not about."""
        parts = []
        for digest in self.manifest["origin"]["earlier"]:
            path = self.store.objects.local_path(digest)
            parts.append(pl.read_parquet(path or io.BytesIO(self.store.objects.get(digest)), columns=columns))
        return pl.concat([part.select(columns) for part in parts])


def _typed(rows: pl.DataFrame, types: Mapping[str, str | None]) -> pl.DataFrame:
    """Give columns the types of the contract, so that rows of a file and of the snapshot are alike."""
    return rows.select(
        cast_expression(pl.col(name), str(kind), strict=False, given=rows.schema[name]) for name, kind in types.items()
    )


def _made(step: Mapping[str, Any]) -> set[str]:
    if step["op"] == "join":
        return {ours for _, ours in step["fields"]["columns"]}
    return set(_adapter(History).validate_python(step["fields"]).made)


def _reads(step: Mapping[str, Any]) -> list[str]:
    """Name the columns of the rows that a join or look back needs."""
    fields = step["fields"]
    if step["op"] == "join":
        times = [fields["as_of"]["left"]] if fields["as_of"] is not None else []
        return list(dict.fromkeys((*(ours for ours, _ in fields["on"]), *times)))
    return list(dict.fromkeys((*fields["columns"], *fields["by"], fields["time"])))


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _must_have(what: str, made: Collection[str], reads: Collection[str], rows: pl.DataFrame, name: str) -> None:
    if lacking := [column for column in reads if column not in rows.columns]:
        raise DataError([_incomplete(what, made, lacking, name)])


def _incomplete(what: str, made: Collection[str], lacking: list[str], name: str) -> Diagnostic:
    return Diagnostic(
        code="missing-column",
        headline=f"{name} lacks {listing(lacking)}, by which {what} would add {listing(sorted(made))}",
        notes=(Note(text="a file holds the source's own columns, or those that are added, as intake makes them"),),
        help="add one or the other to the file",
    )


def _not_kept(name: str, columns: list[str]) -> Diagnostic:
    return Diagnostic(
        code="missing-column",
        headline=f"history `{name}` reads {listing(columns)}, which the data of the release do not keep",
        help="take it off `data.ignore` and train again, or give the file the columns that the history makes",
    )
