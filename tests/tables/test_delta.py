"""Delta tables: the last version or a named one, from the log alone where rows are not needed (L-ACQ-1)."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from mlops_compiler.cli import main
from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables.table import about_rows, digest, files, head, is_here, rows

ROOT = Path(__file__).parents[2]
FIRST = pl.DataFrame({"id": [1, 2], "x": [0.5, None], "t": ["a", "b"]})
SECOND = pl.DataFrame({"id": [3], "x": [1.5], "t": ["c"]})
LAST = Read(kind="delta", path="table")


@pytest.fixture
def root(tmp_path):
    FIRST.write_delta(tmp_path / "table")
    SECOND.write_delta(tmp_path / "table", mode="append")
    return tmp_path


def at(version):
    return Read(kind="delta", path="table", version=version)


def test_reads_the_last_version_or_another(root):
    assert rows(LAST, root).sort("id").equals(pl.concat([FIRST, SECOND]))
    assert rows(at(0), root).equals(FIRST)
    assert head(LAST, root) == {"id": "int", "x": "float", "t": "text"}
    assert (about_rows(LAST, root), about_rows(at(0), root)) == (3, 2)
    assert len(files(LAST, root)) == 2
    assert is_here(LAST, root)


def test_the_digest_is_that_of_the_version(root):
    before, first = digest(LAST, root, lambda _: None), digest(at(0), root, lambda _: None)
    assert before == digest(at(1), root, lambda _: None)
    assert before != first
    FIRST.write_delta(root / "table", mode="append")
    assert digest(LAST, root, lambda _: None) != before
    assert digest(at(0), root, lambda _: None) == first


def test_deleted_rows_are_gone(root):
    from deltalake import DeltaTable

    DeltaTable(str(root / "table")).delete("id = 1")
    assert sorted(rows(LAST, root)["id"]) == [2, 3]


REFUSED = {
    "no such table": (Read(kind="delta", path="none"), "source-missing"),
    "a folder that is no table": (Read(kind="delta", path="."), "source-missing"),
    "no such version": (at(9), "source-unreadable"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("what", [head, rows])
def test_refuses(root, case, what):
    read, code = case
    with pytest.raises(DataError) as refused:
        what(read, root)
    assert refused.value.diagnostics[0].code == code


def test_a_file_of_the_table_that_is_gone_is_told(root):
    next((root / "table").glob("*.parquet")).unlink()
    with pytest.raises(DataError) as refused:
        rows(LAST, root)
    assert refused.value.diagnostics[0].code == "source-unreadable"


def test_a_real_recipe_is_explored_and_planned_on_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    shutil.copy(ROOT / "recipes" / "loan.yaml", tmp_path / "recipes")
    pl.read_parquet(ROOT / "recipes" / "data" / "credit.parquet").write_delta(tmp_path / "recipes" / "credit")
    source = "data.source={kind: delta, path: credit}"
    assert main(["explore", "recipe=loan", source]) == 0
    assert "4,454 rows" in capsys.readouterr().out
    assert main(["plan", "recipe=loan", source]) == 0
    assert main(["check", "recipe=loan", "data.source={kind: delta, path: credit, version: 3}"]) == 1
    assert "source-unreadable" in capsys.readouterr().err
