"""What `docs/intake.md` shows is what is printed, on real data."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
import yaml

from mlops_compiler import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/intake.md").read_text()
FILES, TABLE = (yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
FIRST, NEXT, DATABASE = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "recipes" / "in").mkdir(parents=True)
    (tmp_path / "recipes" / "data").symlink_to(ROOT / "recipes" / "data")
    return tmp_path


def recipe(workspace, name, data):
    known = yaml.safe_load((ROOT / "recipes" / f"{name}.yaml").read_text())
    text = yaml.safe_dump({**known, "data": {**known["data"], **data["data"]}}, sort_keys=False)
    (workspace / "recipes" / f"{name}.yaml").write_text(text)


def run(command, capsys):
    words = shlex.split(command)
    if words[0] == "cp":
        shutil.copy(*words[1:])
        return []
    assert words[0] == "mlops-compile"
    assert cli.main(words[1:]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def follow(session, capsys):
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        said = run(command, capsys)
        assert len(said) == len(lines), said
        for shown, line in zip(lines, said, strict=True):
            pattern = re.escape(" ".join(shown.split())).replace(r"\.\.\.", ".+")
            assert re.fullmatch(pattern, line), line


def test_files_that_come(workspace, capsys):
    """L-ACQ-4."""
    prices = pl.read_parquet(ROOT / "recipes/data/stocks.parquet").sort("date", "ticker")
    (workspace / "pieces").mkdir()
    for (year,), piece in prices.group_by(pl.col("date").dt.year()):
        piece.write_parquet(workspace / "pieces" / f"{year}.parquet")
    old = pl.read_parquet(workspace / "pieces/2006.parquet").tail(20)
    pl.concat([old, pl.read_parquet(workspace / "pieces/2007.parquet")]).write_parquet(
        workspace / "pieces/2007.parquet"
    )
    for year in range(2000, 2007):
        shutil.copy(workspace / "pieces" / f"{year}.parquet", workspace / "recipes/in")
    recipe(workspace, "stocks", FILES)
    follow(FIRST, capsys)
    follow(NEXT, capsys)


def test_rows_of_a_database(workspace, capsys):
    """L-ACQ-4."""
    flights = pl.read_parquet(ROOT / "recipes/data/flights.parquet").with_row_index("id").filter(pl.col("month") == 1)
    flights = flights.with_columns(pl.col("time_hour").dt.strftime("%Y-%m-%d %H:%M:%S"))
    with closing(sqlite3.connect(workspace / "recipes/ops.db")) as connection, connection:
        kinds = {pl.String: "TEXT", pl.Float64: "REAL"}
        columns = ", ".join(f'"{name}" {kinds.get(dtype, "INTEGER")}' for name, dtype in flights.schema.items())
        connection.execute(f"CREATE TABLE flights ({columns})".replace('"time_hour" TEXT', '"time_hour" DATETIME'))
        connection.executemany(f"INSERT INTO flights VALUES ({', '.join('?' * flights.width)})", flights.rows())
    recipe(workspace, "flights", TABLE)
    follow(DATABASE, capsys)
