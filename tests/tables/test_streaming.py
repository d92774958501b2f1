"""Taken in some rows at a time or all at once, rows, findings and bytes are the same (L-ACQ-1, L-ACQ-2, L-ACQ-10)."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mlops_compiler.diagnostics import DataError, Severity
from mlops_compiler.ir.ops.intake import AsOf, Check, ColumnCheck, History, Join, Population, Read, Stack
from mlops_compiler.ir.ops.prepare import Aggregate, Clip, Impute, Log1p, OneHot, Standardize, TargetEncode
from mlops_compiler.ir.program import Node
from mlops_compiler.tables.contract import doubts, take_in
from mlops_compiler.tables.expectations import expectations
from mlops_compiler.tables.fusion import group_steps, scans
from mlops_compiler.tables.history import look_back
from mlops_compiler.tables.intake import assemble
from mlops_compiler.tables.joins import join
from mlops_compiler.tables.parquet import ParquetWriter
from mlops_compiler.tables.population import select
from mlops_compiler.tables.preparation import fit
from mlops_compiler.tables.stacks import stack
from mlops_compiler.tables.steps import LABEL
from mlops_compiler.tables.stream import Stream, rows_at_once
from mlops_compiler.tables.table import rows, stream

T0 = datetime(2024, 1, 1)  # noqa: DTZ001 - naive, as columns are
SIZES = (1, 7, None)
LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

numbers = st.sampled_from(["1", "2", "30", "x", "2.5", None])
tables = st.lists(
    st.fixed_dictionaries(
        {"n": numbers, "k": st.sampled_from(["a", "b", "c", None]), "f": st.floats(-9, 9) | st.none()}
    ),
    min_size=1,
    max_size=20,
).map(
    lambda found: pl.DataFrame(found, schema={"n": pl.String, "k": pl.String, "f": pl.Float64}).with_columns(
        at=pl.Series([T0 + timedelta(hours=place) for place in range(len(found))])
    )
)
OTHER = pl.DataFrame(
    {"k": ["a", "b", "a"], "when": [T0, T0 + timedelta(hours=3), T0 + timedelta(hours=6)], "w": [1.5, 2.5, None]}
)
OPS = {
    "stack.more": Stack(columns=tuple((name, name) for name in ("n", "k", "f", "at"))),
    "join.air": Join(
        on=(("k", "k"),),
        types=("text",),
        as_of=AsOf(left="at", right="when", within=40_000.0),
        columns=(("w", "w"),),
        how="left",
    ),
    "join.names": Join(on=(("k", "k"),), types=("text",), as_of=None, columns=(("g", "g"),), how="inner"),
    "history.before": History(kind="lag", columns=("f",), by=("k",), time="at", periods=(1,)),
}
NAMES = pl.DataFrame({"k": ["a", "b"], "g": ["A", "B"]})
columns = st.fixed_dictionaries(
    {
        "n": st.builds(
            ColumnCheck,
            name=st.just("n"),
            type=st.sampled_from(["int", "text", "float"]),
            nullable=st.booleans(),
            unique=st.booleans(),
            range=st.none(),
            severity=st.sampled_from(["error", "warn"]),
        ),
        "f": st.builds(
            ColumnCheck,
            name=st.just("f"),
            type=st.just("float"),
            nullable=st.booleans(),
            range=st.sampled_from([None, (0.0, 9.0)]),
            missing=st.sampled_from([None, 0.3]),
            mean=st.sampled_from([None, (0.0, 5.0)]),
            severity=st.sampled_from(["error", "warn"]),
        ),
        "k": st.builds(
            ColumnCheck,
            name=st.just("k"),
            type=st.just("category"),
            nullable=st.booleans(),
            one_of=st.sampled_from([None, ("a", "b")]),
        ),
    }
)


def nodes_of(ops, check, population):
    read = Read(kind="parquet", path="x")
    found = {"source": read}
    for name, op in ops.items():
        kind, _, short = name.partition(".")
        found |= {f"stacked.{short}" if kind == "stack" else f"source.{short}": read} if kind != "history" else {}
        found[name] = op
    found |= {"contract": check, "population": population}
    return {name: Node(name=name, op=op) for name, op in found.items()}


def whole(ops, check, population, given_):
    """Take all rows in at once, by the functions for whole tables."""
    table = given_["source"]
    for name, op in ops.items():
        kind, _, short = name.partition(".")
        if kind == "stack":
            table = stack(Stream.of(table), op, Stream.of(given_[f"stacked.{short}"])).collect()
        elif kind == "join":
            table = join(short, op, table, given_[f"source.{short}"]).rows
        else:
            table = look_back(short, op, table)
    typed, lost = take_in(check, table)
    kept = select(population, typed)
    found = [*((item, "warn") for item in doubts(check, kept)), *expectations(check, kept)]
    errors = [item for item, severity in found if severity == "error"]
    if errors:
        raise DataError(errors)
    return kept, lost, [item.headline for item, _ in found]


def outcome(run):
    """Give what comes back, or what is said instead."""
    try:
        return run(), None
    except DataError as error:
        return None, [(item.code, item.headline, item.notes) for item in error.diagnostics]


cases = st.fixed_dictionaries(
    {
        "first": tables,
        "second": tables,
        "ops": st.lists(st.sampled_from(list(OPS)), unique=True, max_size=4),
        "columns": columns,
        "max_loss": st.sampled_from([0.0, 0.5, 1.0]),
        "where": st.sampled_from([None, "f > 0", "k = 'a'"]),
        "target": st.sampled_from([None, ("y", "f > 2")]),
    }
)


@LAW
@given(case=cases, size=st.sampled_from(SIZES))
def test_rows_in_batches_are_taken_in_like_all_at_once(tmp_path, case, size):
    ops, second = case["ops"], case["second"]
    used = {name: OPS[name] for name in ("history.before", "join.air", "join.names", "stack.more") if name in ops}
    extra = [("w", "float"), ("g", "text"), ("f_lag_1", "float")]
    there = {"join.air": "w", "join.names": "g", "history.before": "f_lag_1"}
    more = [ColumnCheck(name=name, type=kind, nullable=True) for name, kind in extra if name in map(there.get, used)]
    check = Check(columns=(*case["columns"].values(), *more), max_loss=case["max_loss"])
    if "stack.more" in used:  # it lacks what is added before: so it comes first
        used = {"stack.more": used.pop("stack.more"), **used}
        second = second.with_columns(pl.col("at") + timedelta(days=9))
    population = Population(where=case["where"], target=case["target"])
    given_ = {"source": case["first"], "stacked.more": second, "source.air": OTHER, "source.names": NAMES}
    wanted, refused = outcome(lambda: whole(used, check, population, given_))
    taken, said = outcome(
        lambda: assemble(nodes_of(used, check, population), lambda node: Stream.of(given_[node.name], size), tmp_path)
    )
    assert said == refused
    if wanted is not None:
        kept, lost, warned = wanted
        assert_frame_equal(pl.read_parquet(taken.rows), kept, check_exact=True)
        assert (taken.height, list(taken.columns), taken.lost) == (kept.height, kept.columns, lost)
        assert taken.nulls == {name: count for name, count in kept.null_count().row(0, named=True).items() if count}
        assert [item.headline for item in taken.doubts] == warned
        assert all(item.severity is Severity.WARNING for item in taken.doubts)
        assert pl.read_parquet(taken.left_out).height == taken.left


@LAW
@given(found=tables, sizes=st.lists(st.integers(1, 9), min_size=1))
def test_equal_tables_give_equal_files(tmp_path, monkeypatch, found, sizes):
    monkeypatch.setattr("mlops_compiler.tables.parquet.rows_at_once", lambda _: 4)
    digests = set()
    for cut in ([found.height], sizes):
        with ParquetWriter(tmp_path / "x.parquet", found.schema) as file:
            place = 0
            while place < found.height:
                size = cut[place % len(cut)]
                file.add(found.slice(place, size))
                place += size
        digests.add(hashlib.sha256((tmp_path / "x.parquet").read_bytes()).hexdigest())
        assert_frame_equal(pl.read_parquet(tmp_path / "x.parquet"), found, check_exact=True)
    assert len(digests) == 1


WRITERS = {
    "csv": (pl.DataFrame.write_csv, Read(kind="csv", path="*.csv", null_values=("",))),
    "parquet": (
        lambda frame, path: frame.write_parquet(path, row_group_size=3),
        Read(kind="parquet", path="*.parquet"),
    ),
    "ndjson": (pl.DataFrame.write_ndjson, Read(kind="ndjson", path="*.ndjson")),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_many_files_give_their_rows_in_order(tmp_path, monkeypatch, kind, size):
    write, read = WRITERS[kind]
    parts = [pl.DataFrame({"a": range(start, start + 10), "b": ["x", None] * 5}) for start in (0, 10, 20)]
    for number, part in enumerate(parts):
        write(part, tmp_path / f"{number}.{kind}")
    monkeypatch.setattr("mlops_compiler.tables.sources.rows_at_once", lambda _: size)
    found = stream(read, tmp_path)
    assert found.collect(["a"])["a"].cast(int).to_list() == list(range(30))
    assert_frame_equal(found.collect(), rows(read, tmp_path), check_exact=True)
    assert found.collect().height == 30


def test_a_table_of_thousands_of_columns_is_held_a_few_rows_at_a_time():
    assert rows_at_once(8) > rows_at_once(1000) >= 1
    assert rows_at_once(10**9) == 1


TYPICAL = (
    Impute(columns=("i", "f", "g"), statistic="median"),
    Clip(columns=("i", "f", "g")),
    Log1p(columns=("f",)),
    Aggregate(columns=("f",), by=("u",), statistics=("mean",)),
    TargetEncode(columns=("t",), smoothing=1.0, folds=2),
    OneHot(columns=("v",), max_levels=5, rare="group"),
    Standardize(columns=("i", "f", "g", "f_mean_by_u", "t")),
)
"""Standardising depends on aggregates, these on clipping, this on imputing: a depth of four."""


@pytest.mark.parametrize(("budget", "most"), [(2**28, 1), (1000, 4)], ids=["held", "a level at a time"])
def test_no_column_is_read_more_often_than_fits_depend_on_each_other(named, monkeypatch, budget, most):
    monkeypatch.setattr("mlops_compiler.tables.asking.BUDGET", budget)
    height = 60
    frame = pl.DataFrame(
        {"i": range(height), "f": [value / 7 for value in range(height)], "g": [1.0, 2.0, None] * 20}
        | {name: ["a", "b", "c", None] * 15 for name in ("t", "u", "v")}
        | {LABEL: [0, 1, 1] * 20},
        schema_overrides={LABEL: pl.Int8},
    )
    reads, source = Counter[str](), Stream.of(frame, 7)

    def counted(names):
        reads.update(names)
        return source.read(names)

    groups = group_steps(named(*TYPICAL))
    preparation, prepared = fit(groups, replace(source, read=counted))
    assert max(count for name, count in reads.items() if name != LABEL) <= most <= scans(groups) == 4
    prepared.collect()
    assert max(count for name, count in reads.items() if name != LABEL) <= most + 1
    assert preparation == fit(groups, frame)[0]


def test_a_column_of_sqlite_may_begin_with_missing_values(tmp_path, monkeypatch):
    """L-ACQ-1: the driver takes the type of a column from the first rows that it sees."""
    values = [None] * 3000 + ["x"] * 10
    with closing(sqlite3.connect(tmp_path / "data.db")) as database, database:
        database.execute("CREATE TABLE t (a TEXT, n INT)")
        database.executemany("INSERT INTO t VALUES (?, ?)", zip(values, range(len(values)), strict=True))
    monkeypatch.setattr("mlops_compiler.tables.sqlite.rows_at_once", lambda _: 1000)
    found = stream(Read(kind="sql", path="data.db", table="t"), tmp_path)
    assert [part.height for part in found.batches()] == [999, 1000, 1000, 11]
    assert found.collect(["a"])["a"].to_list() == values
    assert found.collect(["n"])["n"].to_list() == [str(number) for number in range(len(values))]
