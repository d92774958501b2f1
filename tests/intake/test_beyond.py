"""Of a source only what lies beyond the watermark is read, where the source can find it (L-ACQ-4)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime

import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables import sqlite
from mlops_compiler.tables.beyond import Mark, rows_beyond

DAYS = pl.datetime_range(datetime(2026, 1, 1), datetime(2026, 1, 20), "6h", eager=True)  # noqa: DTZ001
TABLE = pl.DataFrame({"at": DAYS, "n": range(len(DAYS))}).with_columns(day=pl.col("at").dt.date(), f=pl.col("n") / 2)
MARKS = [
    pytest.param(Mark(column="at", kind="datetime", value=datetime(2026, 1, 18, 12), late=3600), id="datetime"),  # noqa: DTZ001
    pytest.param(Mark(column="day", kind="date", value=date(2026, 1, 18)), id="date"),
    pytest.param(Mark(column="n", kind="int", value=70, late=2), id="int"),
    pytest.param(Mark(column="f", kind="float", value=35.0, late=1.0), id="float"),
]


def parquet(folder):
    for number, piece in enumerate(TABLE.iter_slices(40)):
        piece.write_parquet(folder / f"{number}.parquet", row_group_size=10)
    return Read(kind="parquet", path="*.parquet")


def zoned(folder):
    TABLE.with_columns(pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")).write_parquet(
        folder / "zoned.parquet"
    )
    return Read(kind="parquet", path="zoned.parquet")


def delta(folder):
    TABLE.write_delta(folder / "table")
    return Read(kind="delta", path="table")


def database(folder, text="%Y-%m-%d %H:%M:%S"):
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE t (at DATETIME, n INTEGER, day DATE, f REAL)")
        connection.execute("CREATE INDEX by_n ON t (n)")
        rows = TABLE.with_columns(pl.col("at").dt.strftime(text), pl.col("day").cast(pl.String))
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows.rows())
    return Read(kind="sql", path="shop.db", table="t")


def csv(folder):
    TABLE.with_columns(pl.col("at").dt.strftime("%Y-%m-%d %H:%M:%S")).write_csv(folder / "t.csv")
    return Read(kind="csv", path="t.csv")


def wanted(found, mark):
    marks = found.select(mark.of(found.schema).alias("m"))["m"]
    return found.filter(marks >= mark.bound)["n"].cast(pl.Int64).to_list()


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    ("make", "reads_less"),
    [
        pytest.param(parquet, True, id="parquet"),
        pytest.param(zoned, True, id="zoned"),
        pytest.param(delta, True, id="delta"),
        pytest.param(database, True, id="sqlite"),
        pytest.param(csv, False, id="csv"),
    ],
)
def test_nothing_beyond_the_mark_is_missed_and_the_rest_is_left(tmp_path, make, reads_less, mark):
    found = rows_beyond(make(tmp_path), tmp_path, mark)
    whole = TABLE.filter(pl.col(mark.column) >= mark.bound)["n"].to_list()
    assert wanted(found, mark) == whole
    assert (found.height < TABLE.height / 4) == reads_less


@pytest.mark.parametrize("text", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", " %Y-%m-%d %H:%M:%S"])
def test_a_time_may_be_written_in_any_way_that_a_cast_reads(tmp_path, text):
    mark = Mark(column="at", kind="datetime", value=datetime(2026, 1, 18, 12))  # noqa: DTZ001
    found = rows_beyond(database(tmp_path, text), tmp_path, mark)
    assert wanted(found, mark) == TABLE.filter(pl.col("at") >= mark.value)["n"].to_list()


@pytest.mark.parametrize("value", [None, 12, "soon", b"x"], ids=["missing", "a number", "a word", "bytes"])
def test_what_has_no_mark_is_read_so_that_it_can_be_told(tmp_path, value):
    read = database(tmp_path)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute("INSERT INTO t VALUES (?, -1, '2026-01-19', 0)", (value,))
    mark = Mark(column="at", kind="datetime", value=datetime(2026, 1, 18, 12))  # noqa: DTZ001
    assert "-1" in rows_beyond(read, tmp_path, mark)["n"].to_list()


def test_the_database_finds_rows_by_its_index(tmp_path):
    read = sqlite.beyond(database(tmp_path), tmp_path / "shop.db", "n", "int", 70)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        plan = " ".join(str(row) for row in connection.execute(f"EXPLAIN QUERY PLAN {read.query}"))
    assert "USING INDEX by_n" in plan
    assert "SCAN" not in plan


def test_nothing_beyond_the_mark_is_no_error(tmp_path):
    mark = Mark(column="n", kind="int", value=10_000)
    assert rows_beyond(database(tmp_path), tmp_path, mark).is_empty()


def test_a_source_that_is_gone_is(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        rows_beyond(Read(kind="sql", path="gone.db", table="t"), tmp_path, Mark(column="n", kind="int", value=1))
