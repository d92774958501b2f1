"""Batches as Arrow streams: the answers and faults of JSON, whatever wrote them; nothing in one harms the service."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, date, datetime

import httpx
import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.serving.app import create_app
from mlops_compiler.serving.exchange import ARROW_TYPE
from mlops_compiler.serving.guard import Limits
from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.serving.request import RequestContract

USUAL = {"nullable": False, "range": None, "one_of": None, "required": True, "description": None}
FIELDS = [
    {"name": "i", "type": "int", "range": [-5, 10]},
    {"name": "f", "type": "float", "range": [-3.0, 3.5]},
    {"name": "n", "type": "float", "nullable": True, "required": False},
    {"name": "b", "type": "bool"},
    {"name": "t", "type": "text", "pattern": "[a-c]{1,3}"},
    {"name": "c", "type": "category", "one_of": ["x", "y z"], "nullable": True},
    {"name": "d", "type": "date", "nullable": True},
    {"name": "w", "type": "datetime"},
]
MANIFEST = {"key": "k", "unused": ["u"], "request": [{**USUAL, **field} for field in FIELDS]}
VALUES = {
    "i": st.integers(-7, 12),
    "f": st.one_of(st.integers(-4, 4), st.floats(-4, 4), st.just(float("nan")), st.just(float("inf"))),
    "n": st.one_of(st.none(), st.floats(-9, 9)),
    "b": st.booleans(),
    "t": st.sampled_from(["a", "abc", "abcd", ""]),
    "c": st.sampled_from(["x", "y z", "z", None]),
    "d": st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2050, 1, 1))),
    "w": st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001 - the contract's times have no zone
    "k": st.one_of(st.none(), st.text("ab", max_size=3)),
    "u": st.integers(0, 3),
    "stranger": st.integers(0, 3),
}
WRONG = {"i": st.floats(0, 1), "f": st.booleans(), "b": st.integers(0, 1), "c": st.integers(0, 3), "d": st.text("1-")}


@st.composite
def columns(draw):
    """Draw a table: most columns are right, some are missing, of another type, or of no name that is known."""
    rows = draw(st.integers(1, 5))
    names = [name for name in VALUES if draw(st.integers(0, 9)) < (1 if name == "stranger" else 9)]
    kinds = {name: WRONG[name] if name in WRONG and draw(st.integers(0, 19)) == 0 else VALUES[name] for name in names}
    return {name: draw(st.lists(kind, min_size=rows, max_size=rows)) for name, kind in kinds.items()} or {"i": [1]}


def table_of(drawn):
    made = {}
    for name, values in drawn.items():
        numbers = any(isinstance(value, float) for value in values)
        made[name] = pa.array([float(value) for value in values] if numbers and None not in values else values)
    return pa.table(made)


def stream(table, **options):
    body = io.BytesIO()
    with pa.ipc.new_stream(body, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return body.getvalue()


def outcome(sent):
    """Give what a contract makes of a body, or of rows: rows and keys, or the faults."""
    contract = RequestContract(MANIFEST)
    try:
        rows = contract.read(sent) if isinstance(sent, bytes) else contract.take(sent)
    except RequestRefused as refused:
        return [(fault.row, fault.field, fault.code) for fault in refused.faults]
    return rows.frame.to_dicts(), rows.keys


def as_json(table):
    """Write a table as JSON would have it."""
    rows = table.to_pylist()
    for row in rows:
        for name, value in row.items():
            if isinstance(value, datetime | date):
                row[name] = value.isoformat()
    return rows


@settings(deadline=None)  # the first one loads pyarrow
@given(drawn=columns(), writer=st.sampled_from(["arrow", "polars", "dictionaries"]))
def test_a_stream_is_what_the_same_rows_are(drawn, writer):
    table = table_of(drawn)
    expected = outcome(as_json(table))
    if writer == "polars":
        body = io.BytesIO()
        pl.from_arrow(table).write_ipc_stream(body)
        assert outcome(body.getvalue()) == expected
        return
    if writer == "dictionaries":
        coded = [
            column.dictionary_encode() if pa.types.is_string(column.type) else column for column in table.itercolumns()
        ]
        table = pa.table(coded, names=table.column_names)
    assert outcome(stream(table)) == expected


@pytest.mark.parametrize("dtype", [pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint64()])
def test_whole_numbers_of_any_width_will_do(dtype):
    row = {"i": 5, "f": 1, "b": True, "t": "a", "c": "x", "d": None, "w": datetime(2026, 1, 2)}  # noqa: DTZ001
    table = pa.table({name: [value] for name, value in row.items()})
    for name in ("i", "f"):
        table = table.set_column(table.column_names.index(name), name, table.column(name).cast(dtype))
    rows, _ = outcome(stream(table))
    assert rows == [{**row, "f": 1.0, "n": None}]


def refusal(body, **limits):
    with pytest.raises(RequestRefused) as refused:
        RequestContract(MANIFEST, Limits(**limits)).read(body)
    return refused.value.status, refused.value.faults[0].code


def test_what_could_fill_the_memory_is_refused():
    zeros = pa.table({"t": ["a" * 1000] * 1000})
    for codec in ("zstd", "lz4"):
        assert refusal(stream(zeros, compression=codec)) == (400, "not-arrow")
    coded = zeros.set_column(0, "t", zeros.column("t").dictionary_encode())
    assert refusal(stream(coded, compression="zstd")) == (400, "not-arrow")
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10_000, dtype=np.int8)), ["a" * 900_000])
    assert refusal(stream(pa.table({"t": long}))) == (413, "too-large")
    views = io.BytesIO()
    pl.DataFrame({"t": ["b" * 900_000]}).select(pl.col("t").gather([0] * 200)).write_ipc_stream(views)
    assert len(views.getvalue()) < 2**20, "one text, seen from 200 rows"
    assert refusal(views.getvalue()) == (413, "too-large")
    assert refusal(stream(pa.table({"t": pa.nulls(10_001)}))) == (413, "too-large")


def test_other_types_and_doubled_names_are_named():
    for value in ([1], {"a": 1}, b"x"):
        assert refusal(stream(pa.table({"i": [value]}))) == (400, "not-arrow")
    zoned = pa.table({"w": pa.array([datetime(2026, 1, 1, tzinfo=UTC)])})
    assert refusal(stream(zoned))[0] == 422
    doubled = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["i", "i"])
    assert refusal(stream(doubled)) == (400, "not-arrow")
    assert refusal(stream(pa.table({"i": pa.array([], pa.int64())}))) == (422, "wrong-type")


@settings(deadline=None)
@given(
    places=st.lists(st.integers(4, 10**6), min_size=1, max_size=4),
    bytes_=st.lists(st.integers(0, 255), min_size=4, max_size=4),
    cut=st.one_of(st.none(), st.integers(4, 10**6)),
    codec=st.sampled_from([None, "zstd"]),
)
def test_a_damaged_stream_is_refused_or_read(places, bytes_, cut, codec):
    table = pa.table({"i": [1, 2], "t": ["a", "b"], "c": pa.array(["x", "y z"]).dictionary_encode()})
    body = bytearray(stream(table, compression=codec))
    for place, byte in zip(places, bytes_, strict=False):
        body[4 + place % (len(body) - 4)] = byte
    body = bytes(body[: 4 + cut % len(body)] if cut is not None else body)
    assert outcome(body) is not None


@pytest.fixture(scope="module", params=["binary_classification", "multiclass_classification", "regression"])
def served(request, make_predictor):
    kind = "ridge" if request.param == "regression" else "logistic_regression"
    predictor = make_predictor(kind, task=request.param)
    transport = httpx.ASGITransport(create_app(predictor, {"recipe": "churn", "release": 3}))

    async def send(content, headers):
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.post("/", content=content, headers=headers)

    return lambda content, headers=None: asyncio.run(send(content, headers))


def test_answers_with_the_bits_of_json(served, rows):
    table = rows.drop("target", strict=False).with_columns(customer=pl.Series([f"c{at}" for at in range(rows.height)]))
    body = io.BytesIO()
    table.write_ipc_stream(body)
    answer = served(body.getvalue())
    assert (answer.status_code, answer.headers["content-type"]) == (200, ARROW_TYPE)
    found = pl.read_ipc_stream(answer.content)
    told = served(orjson.dumps(table.to_dicts())).json()
    assert found["release"].unique().to_list() == [3]
    assert found.drop("id", "release").to_dicts() == [
        {name: value for name, value in row.items() if name != "id"} for row in told["predictions"]
    ]
    first = found["id"][0].partition("-")[0]
    assert found["id"].to_list() == [f"{first}-{at}" for at in range(rows.height)]
    either = served(body.getvalue(), {"accept": f"application/json, {ARROW_TYPE}"})
    assert either.headers["content-type"] == ARROW_TYPE
    as_text = served(body.getvalue(), {"accept": "application/json"})
    assert as_text.headers["content-type"] == "application/json"
    assert len(as_text.json()["predictions"]) == rows.height


def test_faults_are_told_in_json(served, rows):
    body = io.BytesIO()
    rows.with_columns(tenure=pl.lit("five")).write_ipc_stream(body)
    answer = served(body.getvalue())
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/json")
    assert json.loads(answer.content)["faults"][0]["field"] == "tenure"
