"""A file says what it holds before it is read, and is refused with its name where it cannot be read."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables.sources import describe, file_digest, load

CSV = Read(kind="csv", path="data.csv", null_values=("", "NA"))


def write(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


TYPES = {
    "int": ("1", "-2"),
    "float": ("1", "2.5"),
    "text": ("00501", "10001"),
    "text of all": ("1", "a"),
    "bool": ("true", "False"),
    "date": ("2024-01-02", "2023-12-31"),
    "datetime": ("2024-01-02T03:04:05", "2024-01-02T03:04:06"),
    "text of nothing": ("", "NA"),
    "float with a leading zero": ("0.5", "0"),
}


@pytest.mark.parametrize("kind", TYPES)
def test_types_are_inferred_from_texts(tmp_path, kind):
    path = write(tmp_path, "x,y\n" + "".join(f"{value},1\n" for value in TYPES[kind]))
    assert describe(CSV, path)["x"] == kind.split()[0]


def test_parquet_says_its_own_types(tmp_path):
    path = tmp_path / "data.parquet"
    frame = pl.DataFrame({"i": [1], "f": [1.0], "b": [True], "t": ["a"]})
    frame.write_parquet(path)
    read = Read(kind="parquet", path="data.parquet")
    assert describe(read, path) == {"i": "int", "f": "float", "b": "bool", "t": "text"}
    assert load(read, path).equals(frame)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("a,b\n1,\n2,NA\n", [("1", None), ("2", None)], id="nulls in the last column"),
        pytest.param('a,b\n"x,y","p\nq"\n', [("x,y", "p\nq")], id="quoted"),
        pytest.param("\ufeffa,b\n1,2\n", [("1", "2")], id="byte order mark"),
        pytest.param("a,b\r\n1,2\r\n", [("1", "2")], id="windows lines"),
        pytest.param("a,b\n1,2", [("1", "2")], id="no last newline"),
    ],
)
def test_values_are_read_as_texts(tmp_path, text, rows):
    path = write(tmp_path, text)
    assert describe(CSV, path).keys() == {"a", "b"}
    assert load(CSV, path).rows() == rows


def test_a_quoted_header_is_not_taken_apart(tmp_path):
    path = write(tmp_path, '"a, b","a, c"\n1,2\n')
    assert list(describe(CSV, path)) == ["a, b", "a, c"]


RAGGED = {
    "short": ("a,b,c\n1,2,3\n1,2\n", "line 3 has 2 fields; the header has 3"),
    "long": ("a,b,c\n1,2,3\n1,2,3,4\n", "line 3 has 4 fields; the header has 3"),
    "short, and missing values": ("a,b,c\n1,2,\n1\n", "line 3 has 1 fields; the header has 3"),
    "after a quoted newline": ('a,b,c\n1,2,"x\ny"\n1,2\n', "line 4 has 2 fields; the header has 3"),
}


@pytest.mark.parametrize("case", RAGGED.values(), ids=RAGGED)
def test_a_ragged_row_is_refused_with_its_line(tmp_path, case):
    text, note = case
    with pytest.raises(DataError) as refused:
        load(CSV, write(tmp_path, text))
    (found,) = refused.value.diagnostics
    assert found.code == "ragged-rows"
    assert found.headline.startswith("1 row of data.csv")
    assert [item.text for item in found.notes] == [note]


REFUSED = {
    "nothing": (b"", "source-empty", [describe, load]),
    "a header alone": (b"a,b\n", "source-empty", [load]),
    "a column twice": (b"a,b,a\n1,2,3\n", "repeated-column", [describe]),
    "other letters": ("a,b\né,1\n".encode("latin-1"), "source-unreadable", [describe, load]),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, case):
    content, code, readers = case
    path = write(tmp_path, content)
    for read in readers:
        with pytest.raises(DataError, match=r"data\.csv") as refused:
            read(CSV, path)
        assert refused.value.diagnostics[0].code == code


@pytest.mark.parametrize("read", [describe, load])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(lambda path: None, "source-missing", id="missing"),
        pytest.param(lambda path: path.mkdir(), "source-missing", id="a folder"),
        pytest.param(lambda path: path.touch(), "source-empty", id="empty"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, read, kind, make, code):
    path = tmp_path / f"data.{kind}"
    make(path)
    with pytest.raises(DataError) as refused:
        read(Read(kind=kind, path=path.name), path)
    assert refused.value.diagnostics[0].code == code


@pytest.mark.parametrize("read", [describe, load])
def test_a_parquet_file_that_is_none_is_refused(tmp_path, read):
    with pytest.raises(DataError, match="as PARQUET"):
        read(Read(kind="parquet", path="x.parquet"), write(tmp_path, "a,b\n1,2\n", "x.parquet"))


def test_a_digest_is_of_the_content(tmp_path):
    content = bytes(range(256)) * 5000
    assert file_digest(write(tmp_path, content)) == hashlib.sha256(content).hexdigest()
