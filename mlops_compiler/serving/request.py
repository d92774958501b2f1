"""A request is typed rows or a list of all that is wrong with it, never half of each.

The contract is compiled from the manifest once; reading one row then costs a few dozen microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from mlops_compiler.diagnostics import did_you_mean
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.serving.exchange import is_arrow
from mlops_compiler.serving.fields import Broken, Fault, compile_field, show
from mlops_compiler.serving.guard import Limits
from mlops_compiler.serving.refusal import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST_NAME = 80
_ADVISED = 100
"""Only the first faults get a "did you mean": finding the nearest name costs far more than checking a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The typed rows of a request.

    Attributes:
        schema: The columns of the contract, in its order, and their types.
        keys: The key of each row that was sent with one, by index.
        single: Whether the request was one object, not a list.
        values: The rows, where they came as such.
        table: The rows, where they came as a table.
    """

    schema: Mapping[str, pl.DataType]
    keys: dict[int, Any]
    single: bool
    values: list[dict[str, Any]] = field(default_factory=list)
    table: pl.DataFrame | None = None

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as a table; made each time that it is asked for, where they came as rows."""
        if self.table is not None:
            return self.table
        # Polars would take objects without fields for a table without rows.
        return pl.DataFrame(self.values, schema=self.schema) if self.schema else pl.DataFrame(height=len(self.values))


class RequestContract:
    """What a request must hold to be scored.

    Args:
        manifest: The manifest of a release.
        limits: How large a body may be, and how many rows it may have.
    """

    def __init__(self, manifest: Mapping[str, Any], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.key: str | None = manifest.get("key")
        self.fields = tuple(field for field in manifest["request"] if field["name"] != self.key)
        self.schema = {field["name"]: DTYPES[field["type"]] for field in self.fields}
        self._checks: tuple[tuple[str, Callable[[Any], Any], bool, str], ...] = tuple(
            (field["name"], compile_field(field), bool(field["required"]), field["type"]) for field in self.fields
        )
        # A column of the data that no feature is made of may be sent; any other name is a slip.
        self.known = frozenset(self.schema).union(manifest.get("unused", ()), {self.key} - {None})

    def read(self, body: bytes) -> Rows:
        """Read the body of a request: a JSON object, a list of them, or an Arrow stream.

        Raises:
            RequestRefused: 413 for a body that is too large, 400 for one that is neither, 422 for rows
                that do not keep the contract.
        """
        if len(body) > self._limits.bytes:
            raise RequestRefused.too_many_bytes(self._limits.bytes)
        if is_arrow(body):
            from mlops_compiler.serving import arrow

            return arrow.read(body, self, self._limits)
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise RequestRefused.not_json(error) from error
        return self.take(value)

    def take(self, value: Any) -> Rows:
        """Type the rows of a parsed request.

        Raises:
            RequestRefused: As `read` does.
        """
        single = isinstance(value, dict)
        rows = [value] if single else value
        if not isinstance(rows, list) or not rows:
            raise RequestRefused.no_rows(value)
        if len(rows) > self._limits.rows:
            raise RequestRefused.too_many_rows(len(rows), self._limits.rows)
        faults: list[Fault] = []
        typed = [self._row(index, row, faults) for index, row in enumerate(rows)]
        if faults:
            raise RequestRefused.broken(faults)
        keys = {index: row[self.key] for index, row in enumerate(rows) if self.key in row}
        return Rows(values=typed, schema=self.schema, keys=keys, single=single)

    def _row(self, index: int, row: Any, faults: list[Fault]) -> dict[str, Any]:
        if not isinstance(row, dict):
            faults.append(Fault(row=index, code="wrong-type", expected="an object", found=show(row)))
            return {}
        typed: dict[str, Any] = {}
        for name, check, required, kind in self._checks:
            try:
                typed[name] = check(row[name])
            except KeyError:
                typed[name] = None
                if required:
                    faults.append(_missing(index, name, kind))
            except Broken as broken:
                faults.append(_broken(index, name, row[name], broken))
        self._check_names(index, row, faults)
        return typed

    def _check_names(self, index: int, row: Mapping[str, Any], faults: list[Fault]) -> None:
        if not self.known.issuperset(row):
            for name in row:
                if name not in self.known:
                    faults.append(self._unknown(index, name, row, advise=len(faults) < _ADVISED))
        if self.key is not None and isinstance(row.get(self.key), dict | list):
            faults.append(_broken(index, self.key, row[self.key], Broken("wrong-type", "a text or a number")))

    def _unknown(self, index: int, name: str, row: Mapping[str, Any], *, advise: bool) -> Fault:
        """Blame a field that the contract does not name; most likely one that the row lacks, misspelt."""
        lacking = [known for known in self.schema if known not in row]
        return Fault(
            row=index,
            field=name[:_LONGEST_NAME],
            code="unknown-field",
            expected="a field of the request contract",
            found=show(row[name]),
            help=did_you_mean(name, lacking or self.schema) if advise and len(name) <= _LONGEST_NAME else None,
        )


def _missing(index: int, name: str, kind: str) -> Fault:
    return Fault(row=index, field=name, code="missing-field", expected=kind, found="nothing")


def _broken(index: int, name: str, value: Any, broken: Broken) -> Fault:
    return Fault(row=index, field=name, code=broken.code, expected=broken.expected, found=show(value), help=broken.help)
