"""A source is one table, whatever it is made of (L-ACQ-1): many files, lines of JSON, a table or query of a database."""

from __future__ import annotations

import sqlite3

import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables.table import about_rows, digest, files, head, is_here, rows

CSV = Read(kind="csv", path="part-*.csv", null_values=("",))
TABLE = Read(kind="sql", path="shop.db", table="sales")


def refused(code, function, *arguments):
    with pytest.raises(DataError) as error:
        function(*arguments)
    (finding,) = error.value.diagnostics
    assert finding.code == code
    return finding


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "part-2.csv").write_text("b,a\nx,3\n")
    (tmp_path / "part-1.csv").write_text("a,b\n1,u\n2,v\n")
    (tmp_path / "other.csv").write_text("c\n1\n")
    return tmp_path


@pytest.fixture
def shop(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute(
            'CREATE TABLE sales (id INTEGER, price REAL, name VARCHAR(9), day DATE, paid BOOLEAN, "odd ""name" TEXT, x)'
        )
        connection.executemany(
            "INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(1, 0.1 + 0.2, "é", "2024-01-02", 1, "a", 7), (2, None, None, "2024-01-03", 0, "b", 8)],
        )
    connection.close()
    return tmp_path


def test_many_files_are_one_table_in_the_order_of_their_names(parts):
    assert [path.name for path in files(CSV, parts)] == ["part-1.csv", "part-2.csv"]
    assert head(CSV, parts) == {"a": "int", "b": "text"}
    assert rows(CSV, parts).rows() == [("1", "u"), ("2", "v"), ("3", "x")]
    assert about_rows(CSV, parts) == 3


def test_a_name_that_looks_like_a_pattern_is_a_file_where_there_is_one(tmp_path):
    (tmp_path / "a[1].csv").write_text("a\n1\n")
    assert rows(Read(kind="csv", path="a[1].csv"), tmp_path).height == 1


def test_the_digest_is_of_names_and_contents(parts):
    before = digest(CSV, parts, lambda _: None)
    assert before == digest(CSV, parts, lambda _: None)
    (parts / "part-2.csv").write_text("b,a\nx,4\n")
    changed = digest(CSV, parts, lambda _: None)
    (parts / "part-2.csv").rename(parts / "part-3.csv")
    assert len({before, changed, digest(CSV, parts, lambda _: None)}) == 3
    assert digest(CSV, parts, lambda path: path.name) == digest(CSV, parts, lambda path: path.name)
    assert digest(Read(kind="csv", path="none-*.csv"), parts, lambda _: None) is None


def test_files_of_other_columns_are_refused(parts):
    (parts / "part-3.csv").write_text("a,c\n1,2\n")
    for function in (head, rows):
        finding = refused("files-differ", function, CSV, parts)
        assert finding.headline == "part-3.csv has other columns than part-1.csv, and both are one source"
        assert [note.text for note in finding.notes] == ["it lacks `b`", "it has `c` besides"]


def test_parquet_files_of_other_types_are_refused(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"a": [[1]]}).write_parquet(tmp_path / "2.parquet")
    refused("files-differ", rows, Read(kind="parquet", path="*.parquet"), tmp_path)


def test_a_pattern_without_files_is_refused(tmp_path):
    assert not is_here(CSV, tmp_path)
    assert "no file matches part-*.csv" in refused("source-missing", rows, CSV, tmp_path).headline


def test_an_empty_file_among_many_is_refused(parts):
    (parts / "part-0.csv").write_text("")
    assert "part-0.csv is empty" in refused("source-empty", rows, CSV, parts).headline


def test_lines_of_json(tmp_path):
    (tmp_path / "a.ndjson").write_text('{"a": 1, "b": "x", "c": 0.5}\n{"a": null, "b": "y", "c": 2}\n')
    read = Read(kind="ndjson", path="a.ndjson")
    assert head(read, tmp_path) == {"a": "int", "b": "text", "c": "float"}
    assert rows(read, tmp_path).rows() == [(1, "x", 0.5), (None, "y", 2.0)]
    (tmp_path / "a.ndjson").write_text('{"a": 1\n')
    assert "newline-delimited JSON" in refused("source-unreadable", rows, read, tmp_path).headline


def test_a_database_says_its_types_by_its_catalogue(shop):
    assert head(TABLE, shop) == {
        "id": "int",
        "price": "float",
        "name": "text",
        "day": "date",
        "paid": "bool",
        'odd "name': "text",
        "x": "int",
    }
    assert head(TABLE, shop, None, {"x": "text"})["x"] == "text"


def test_values_of_a_database_keep_all_their_digits(shop):
    found = rows(TABLE, shop)
    assert set(found.dtypes) == {pl.String()}
    assert found["price"].cast(pl.Float64).to_list() == [0.1 + 0.2, None]
    assert found["name"].to_list() == ["é", None]
    assert about_rows(TABLE, shop) == 2


def test_a_query_is_read_and_its_types_are_inferred(shop):
    query = "SELECT id * 2 AS twice, day FROM sales WHERE paid = 1 ORDER BY id LIMIT 5;"
    read = Read(kind="sql", path="shop.db", query=query)
    assert head(read, shop) == {"twice": "int", "day": "date"}
    assert rows(read, shop).rows() == [("2", "2024-01-02")]


def test_bytes_are_digits_and_do_no_harm(shop):
    with sqlite3.connect(shop / "shop.db") as connection:
        connection.execute("INSERT INTO sales (id, name) VALUES ('three', x'ff00')")
    connection.close()
    assert rows(TABLE, shop)["name"].to_list() == ["é", None, "FF00"]
    assert rows(TABLE, shop)["id"].to_list() == ["1", "2", "three"]


@pytest.mark.parametrize(
    "read",
    [
        Read(kind="sql", path="shop.db", table="sale"),
        Read(kind="sql", path="shop.db", table='sales"; DROP TABLE sales; --'),
        Read(kind="sql", path="shop.db", query="SELEC 1"),
        Read(kind="sql", path="shop.db", query="DROP TABLE sales"),
        Read(kind="sql", path="shop.db", query="SELECT 1); DROP TABLE sales; --"),
        Read(kind="sql", path="shop.db", query="SELECT load_extension('x')"),
    ],
    ids=lambda read: read.table or read.query,
)
def test_what_a_database_refuses_is_told_and_nothing_is_changed(shop, read):
    refused("source-unreadable", head, read, shop)
    assert rows(TABLE, shop).height == 2


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "shop.db").write_text("no database, only words " * 100)
    assert "a database of SQLite" in refused("source-unreadable", head, TABLE, tmp_path).headline


def test_what_a_database_has_only_in_its_log_changes_the_digest(shop):
    """Else a plan would reuse what was read before the change."""
    writer = sqlite3.connect(shop / "shop.db", isolation_level=None)
    writer.execute("PRAGMA journal_mode = wal")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    before = digest(TABLE, shop, lambda _: None)
    file = (shop / "shop.db").read_bytes()
    writer.execute("INSERT INTO sales (id) VALUES (3)")
    assert (shop / "shop.db").read_bytes() == file
    assert rows(TABLE, shop).height == 3
    assert digest(TABLE, shop, lambda _: None) != before
    writer.close()


def test_rows_of_a_query_are_not_counted_for_a_plan(shop):
    assert about_rows(Read(kind="sql", path="shop.db", query="SELECT 1"), shop) is None


def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path):
    for folder, value in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").write_text(f"v\n{value}\n")
    read = Read(kind="csv", path="*/x.csv")
    before = digest(read, tmp_path, lambda _: None)
    (tmp_path / "a" / "x.csv").write_text("v\n2\n")
    (tmp_path / "b" / "x.csv").write_text("v\n1\n")
    assert digest(read, tmp_path, lambda _: None) != before
