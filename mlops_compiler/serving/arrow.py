"""Requests and answers as Arrow IPC streams, for batches: columns come typed, and are checked as columns.

What a column check cannot say is said by the check of rows, so that both ways take the same rows and name the same
faults. What a client sends may be made to harm: the stream is read by pyarrow, whose reader is hardened, and whatever
could grow while it is read (compression, dictionaries, views of one text) is refused or measured first.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.serving.request import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from mlops_compiler.serving.guard import Limits
    from mlops_compiler.serving.request import RequestContract

_GROWS = 64
"""So many times the size of a body its texts may have, once each row has its own."""
_VIEW_BYTES = 16
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_DATA, _COMPRESSION = 1, 3
"""Fields of the flat buffers that describe a message: https://github.com/apache/arrow/blob/main/format/Message.fbs."""


def read(body: bytes, contract: RequestContract, limits: Limits) -> Rows:
    """Read the rows of a request.

    Raises:
        RequestRefused: 400 for what is no stream, is compressed, or holds other types than a contract has; 413 for too
            much; 422 for rows that do not keep the contract.
    """
    table = _table(body, limits)
    if not table.num_rows:
        raise RequestRefused.no_rows([])
    found = _as_columns(table, contract)
    return found if found is not None else contract.take(_as_rows(table))


def write(answer: bytes) -> bytes:
    """Write an answer as a stream: a row for each prediction, with its ``id``, and the ``release`` that gave it.

    Args:
        answer: The answer to many rows, as JSON.
    """
    told = orjson.loads(answer)
    rows = pl.DataFrame(told["predictions"], infer_schema_length=None)
    release = pl.lit(told["release"], pl.Int64).alias("release")
    stream = io.BytesIO()
    rows.select(pl.col("id"), release, pl.exclude("id")).write_ipc_stream(stream, compat_level=pl.CompatLevel.oldest())
    return stream.getvalue()


def _table(body: bytes, limits: Limits) -> pa.Table:
    import pyarrow as pa

    batches, rows = [], 0
    try:
        _refuse_compressed(body)
        reader = pa.ipc.open_stream(pa.py_buffer(body))
        names = reader.schema.names
        if len(set(names)) < len(names):
            raise RequestRefused.not_arrow("two columns of one name")
        for batch in reader:
            rows += batch.num_rows
            if rows > limits.rows:
                raise RequestRefused.too_many_rows(rows, limits.rows)
            batch.validate(full=True)
            batches.append(batch)
        table = pa.Table.from_batches(batches, reader.schema)
        columns = [_plain(table.column(name), name, limits) for name in names]
        return pa.table(columns, names=names)
    except (pa.ArrowException, OSError, UnicodeDecodeError, struct.error, IndexError) as error:
        raise RequestRefused.not_arrow(str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def _refuse_compressed(body: bytes) -> None:
    """Refuse a stream whose buffers are compressed: a small one could fill the memory."""
    import pyarrow as pa

    for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(body)):
        metadata = message.metadata.to_pybytes()
        root = _indirect(metadata, 0)
        kind, header = (_field(metadata, root, field) for field in (_HEADER_TYPE, _HEADER))
        if kind is None or header is None or metadata[kind] not in (_DICTIONARY_BATCH, _RECORD_BATCH):
            continue
        batch: int | None = _indirect(metadata, header)
        if batch is not None and metadata[kind] == _DICTIONARY_BATCH:
            data = _field(metadata, batch, _DATA)
            batch = None if data is None else _indirect(metadata, data)
        if batch is not None and _field(metadata, batch, _COMPRESSION) is not None:
            raise RequestRefused.not_arrow("a compressed stream")


def _indirect(buffer: bytes, at: int) -> int:
    (offset,) = struct.unpack_from("<I", buffer, at)
    return at + int(offset)


def _field(buffer: bytes, table: int, number: int) -> int | None:
    """Find a field of a flat buffer's table; None where it has none."""
    (back,) = struct.unpack_from("<i", buffer, table)
    (size,) = struct.unpack_from("<H", buffer, table - back)
    if 4 + 2 * number >= size:
        return None
    (offset,) = struct.unpack_from("<H", buffer, table - back + 4 + 2 * number)
    return table + int(offset) if offset else None


def _plain(column: pa.ChunkedArray, name: str, limits: Limits) -> pa.ChunkedArray:
    """Give each row a value of its own, of one of the types that a contract has.

    Raises:
        RequestRefused: It has another type, or would become too large by that.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    types = pa.types
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        if _text_bytes(column) > _GROWS * limits.bytes:
            raise RequestRefused.too_many_bytes(_GROWS * limits.bytes)
        return column.cast(pa.large_string())
    if types.is_dictionary(column.type):
        column = column.cast(kind)
    if types.is_uint64(kind) and (most := pc.max(column).as_py()) is not None and most >= 2**63:
        return column  # the check of rows says so
    if types.is_integer(kind):
        return column.cast(pa.int64())
    if types.is_float16(kind) or types.is_float32(kind) or types.is_float64(kind):
        return column.cast(pa.float64())
    if types.is_boolean(kind) or types.is_null(kind) or types.is_date32(kind):
        return column
    if types.is_date64(kind):
        return column.cast(pa.date32())
    if types.is_timestamp(kind):
        return column if kind.tz else column.cast(pa.timestamp("us"))
    raise RequestRefused.not_arrow(f"`{name[:80]}` of type {str(kind)[:80]}")


def _text_bytes(column: pa.ChunkedArray) -> int:
    """Measure what texts take once each row has its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for chunk in column.chunks:
        texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        sizes = _view_bytes(texts) if pa.types.is_string_view(texts.type) else pc.binary_length(texts)
        sizes = sizes.take(chunk.indices) if pa.types.is_dictionary(chunk.type) else sizes
        total += pc.sum(sizes.cast("int64")).as_py() or 0
    return total


def _view_bytes(texts: pa.Array) -> pa.Array:
    """Measure each text of a column of views, of which each begins with the size of its text, an int32."""
    import numpy as np
    import pyarrow as pa

    views = np.frombuffer(texts.buffers()[1], dtype="<i4")[:: _VIEW_BYTES // 4]
    known = texts.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(np.where(known, views[texts.offset : texts.offset + len(texts)], 0))


def _as_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Give rows as JSON would have them: days and times are texts."""
    import pyarrow as pa

    columns = {name: table.column(name) for name in table.column_names}
    for name, column in columns.items():
        if pa.types.is_temporal(column.type):
            columns[name] = pa.chunked_array([[_iso(value) for value in column.to_pylist()]], pa.large_string())
    rows: list[dict[str, Any]] = pa.table(columns).to_pylist()
    return rows


def _iso(value: Any) -> str | None:
    return None if value is None else str(value.isoformat())


def _as_columns(table: pa.Table, contract: RequestContract) -> Rows | None:
    """Type the rows column by column; None where one of them may break the contract, or its key is none."""
    key = contract.key
    if not contract.known.issuperset(table.column_names):
        return None
    columns: list[pl.Series] = []
    for field in contract.fields:
        name, dtype = field["name"], contract.schema[field["name"]]
        if name not in table.column_names:
            if field["required"]:
                return None
            columns.append(pl.Series(name, [None] * table.num_rows, dtype=dtype))
            continue
        series = pl.Series(name, pl.from_arrow(table.column(name)))
        kept = _kept(series, field, dtype)
        if kept is None:
            return None
        columns.append(kept)
    keys = dict(enumerate(table.column(key).to_pylist())) if key in table.column_names else {}
    frame = pl.DataFrame(columns) if columns else pl.DataFrame(height=table.num_rows)
    return Rows(table=frame, schema=contract.schema, keys=keys, single=False)


def _kept(series: pl.Series, field: Mapping[str, Any], dtype: pl.DataType) -> pl.Series | None:
    """Give a column as the contract types it; None where a value may break it."""
    if series.null_count() and not field["nullable"]:
        return None
    if series.dtype == pl.Null or (series.dtype == pl.Int64 and dtype == pl.Float64):
        series = series.cast(dtype)
    if series.dtype != dtype or field.get("pattern") is not None:
        return None
    known = series.drop_nulls()
    return series if all(_rules(known, field)) else None


def _rules(known: pl.Series, field: Mapping[str, Any]) -> Iterator[bool]:
    if known.dtype == pl.Float64:
        yield bool(known.is_finite().all())
    if field.get("range") is not None:
        low, high = field["range"]
        yield bool(known.is_between(low, high).all())
    if field.get("one_of") is not None:
        yield set(known.unique().to_list()) <= set(field["one_of"])
