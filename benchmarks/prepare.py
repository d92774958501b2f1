"""A typical preparation, by a recipe's steps and by hand: flights, many times over, each way in a process of its own.

The work: late flights as the label; cancelled ones left out; eight columns imputed by their median and clipped at 1 %
and 99 %; two of them log1p; three one-hot; the plane (4,043 levels) target-encoded, cross-fitted in five parts; mean
and deviation of the distance by destination; all numbers standardised; the prepared table written as Parquet. What is
printed is the work from file to file: CPU and wall seconds, and the peak of the process's memory.

``--rows 100000000 --only recipe`` makes a file of flights 300 times over, for the recipe alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SOURCE = Path("recipes/data/flights.parquet")
COPIES = 3
NUMBERS = (
    "dep_time",
    "sched_dep_time",
    "dep_delay",
    "arr_time",
    "sched_arr_time",
    "air_time",
    "distance",
    "hour",
)
TAILS, LEVELS, MANY, BY = ("distance", "air_time"), ("carrier", "origin", "month"), "tailnum", "dest"
FOLDS, SMOOTHING = 5, 10.0
READ = [*NUMBERS, *LEVELS, MANY, BY, "arr_delay"]


def by_recipe(path: Path, out: Path) -> None:
    """The steps of a recipe, as the stage `prepare` fits them on rows that are too many to hold."""
    from mlops_compiler.ir.ops import prepare as ops
    from mlops_compiler.ir.ops.preparation import NamedStep
    from mlops_compiler.tables.fusion import group_steps
    from mlops_compiler.tables.parquet import ParquetWriter
    from mlops_compiler.tables.preparation import fit
    from mlops_compiler.tables.steps import LABEL
    from mlops_compiler.tables.stream import Stream

    made = tuple(f"distance_{kind}_by_{BY}" for kind in ("mean", "std"))
    steps = (
        ops.Impute(columns=NUMBERS, statistic="median"),
        ops.Clip(columns=NUMBERS),
        ops.Log1p(columns=TAILS),
        ops.Aggregate(columns=("distance",), by=(BY,), statistics=("mean", "std")),
        ops.Drop(columns=(BY,)),
        ops.TargetEncode(columns=(MANY,), smoothing=SMOOTHING, folds=FOLDS),
        ops.OneHot(columns=LEVELS, max_levels=20, rare="group"),
        ops.Standardize(columns=(*NUMBERS, *made, MANY)),
    )
    table = pl.scan_parquet(path)
    rows = table.select(READ).filter(pl.col("arr_delay").is_not_null())
    labelled = rows.with_columns((pl.col("arr_delay") > 15).cast(pl.Int8).alias(LABEL)).drop("arr_delay")
    named = [NamedStep(name=f"s{number}", step=step) for number, step in enumerate(steps)]
    height = table.select(pl.len()).collect().item()
    _, prepared = fit(group_steps(named), Stream.scan(labelled, height))
    columns = {name: dtype for name, dtype in prepared.schema.items() if name != LABEL}
    with ParquetWriter(out, columns) as file:
        for batch in prepared.batches(columns):
            file.add(batch)


def by_polars(path: Path, out: Path) -> None:
    """The same by hand: few scans, streamed."""
    rows = (
        pl.scan_parquet(path)
        .select(READ)
        .filter(pl.col("arr_delay").is_not_null())
        .with_row_index("row")
        .with_columns(y=(pl.col("arr_delay") > 15).cast(pl.Float64), fold=pl.col("row") % FOLDS)
    )
    medians = rows.select(pl.col(NUMBERS).cast(pl.Float64).median()).collect(engine="streaming").row(0, named=True)
    rows = rows.with_columns(pl.col(name).cast(pl.Float64).fill_null(value) for name, value in medians.items())
    low, high = (
        rows.select(pl.col(NUMBERS).quantile(share, "linear")).collect(engine="streaming").row(0, named=True)
        for share in (0.01, 0.99)
    )
    rows = rows.with_columns(pl.col(name).clip(low[name], high[name]) for name in NUMBERS)
    rows = rows.with_columns(pl.col(TAILS).log1p())
    groups = rows.group_by(BY).agg(mean=pl.col("distance").mean(), std=pl.col("distance").std(ddof=0))
    prior = rows.select(pl.col("y").mean()).collect(engine="streaming").item()
    cells = rows.group_by(MANY, "fold").agg(n=pl.len(), s=pl.col("y").sum()).collect(engine="streaming")
    whole = cells.group_by(MANY).agg(pl.col("n", "s").sum())
    held = cells.join(whole, on=MANY, suffix="_all", nulls_equal=True).select(
        MANY,
        "fold",
        rate=(pl.col("s_all") - pl.col("s") + SMOOTHING * prior) / (pl.col("n_all") - pl.col("n") + SMOOTHING),
    )
    rows = rows.join(groups, on=BY, how="left").join(held.lazy(), on=[MANY, "fold"], how="left", nulls_equal=True)
    levels = {name: rows.select(pl.col(name).unique().sort()).collect().to_series().to_list() for name in LEVELS}
    scaled = (*NUMBERS, "mean", "std", "rate")
    means = rows.select(pl.col(scaled).mean()).collect(engine="streaming").row(0, named=True)
    deviations = rows.select(pl.col(scaled).std(ddof=0)).collect(engine="streaming").row(0, named=True)
    rows.select(
        *((pl.col(name) - means[name]) / deviations[name] for name in scaled),
        *((pl.col(name) == level).cast(pl.UInt8).alias(f"{name}={level}") for name in LEVELS for level in levels[name]),
    ).sink_parquet(out)


def by_duckdb(path: Path, out: Path) -> None:
    """The same in SQL."""
    import duckdb

    database = duckdb.connect()
    database.execute(
        f"CREATE VIEW source AS SELECT {', '.join(READ)}, CAST(arr_delay > 15 AS INT) AS y, "
        f"file_row_number % {FOLDS} AS fold FROM read_parquet('{path}', file_row_number = true) "
        "WHERE arr_delay IS NOT NULL"
    )
    medians = database.execute(f"SELECT {', '.join(f'median({name})' for name in NUMBERS)} FROM source").fetchone()
    filled = {name: f"coalesce({name}, {value})" for name, value in zip(NUMBERS, medians, strict=True)}
    asked = ", ".join(f"quantile_cont({value}, [0.01, 0.99])" for value in filled.values())
    bounds = dict(zip(NUMBERS, database.execute(f"SELECT {asked} FROM source").fetchone(), strict=True))
    clipped = {name: f"least(greatest({filled[name]}, {low}), {high})" for name, (low, high) in bounds.items()}
    changed = {name: f"ln(1 + {value})" if name in TAILS else value for name, value in clipped.items()}
    numbers = ", ".join(f"CAST({value} AS DOUBLE) AS {name}" for name, value in changed.items())
    database.execute(f"CREATE VIEW changed AS SELECT {numbers}, {', '.join((*LEVELS, MANY, BY))}, y, fold FROM source")
    database.execute(
        f"CREATE TABLE groups AS SELECT {BY}, avg(distance) AS mean, stddev_pop(distance) AS std "
        "FROM changed GROUP BY 1"
    )
    database.execute(
        f"CREATE TABLE held AS WITH "
        f"cells AS (SELECT {MANY}, fold, count(*) AS n, sum(y) AS s FROM source GROUP BY 1, 2), "
        f"whole AS (SELECT {MANY}, sum(n) AS n, sum(s) AS s FROM cells GROUP BY 1), "
        "prior AS (SELECT sum(s) / sum(n) AS rate FROM cells) "
        f"SELECT cells.{MANY}, fold, "
        f"(whole.s - cells.s + {SMOOTHING} * prior.rate) / (whole.n - cells.n + {SMOOTHING}) AS rate "
        f"FROM cells JOIN whole ON cells.{MANY} IS NOT DISTINCT FROM whole.{MANY}, prior"
    )
    database.execute(
        f"CREATE VIEW joined AS SELECT changed.*, mean, std, rate FROM changed JOIN groups USING ({BY}) "
        f"JOIN held ON changed.{MANY} IS NOT DISTINCT FROM held.{MANY} AND changed.fold = held.fold"
    )
    scaled = (*NUMBERS, "mean", "std", "rate")
    asked = ", ".join(f"[avg({name}), stddev_pop({name})]" for name in scaled)
    moments = zip(scaled, database.execute(f"SELECT {asked} FROM joined").fetchone(), strict=True)
    made = [f"({name} - {mean}) / {deviation} AS {name}" for name, (mean, deviation) in moments]
    for name in LEVELS:
        levels = database.execute(f"SELECT DISTINCT {name} FROM source ORDER BY 1").fetchall()
        made += [f"CAST({name} = '{level}' AS UTINYINT) AS \"{name}={level}\"" for (level,) in levels]
    database.execute(f"COPY (SELECT {', '.join(made)} FROM joined) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


def by_pandas(path: Path, out: Path) -> None:
    """The same in pandas."""
    import pandas as pd

    rows = pd.read_parquet(path, columns=READ).dropna(subset=["arr_delay"]).reset_index(drop=True)
    y = (rows.pop("arr_delay") > 15).astype(float)
    names = list(NUMBERS)
    rows[names] = rows[names].astype(float)
    rows[names] = rows[names].fillna(rows[names].median())
    rows[names] = rows[names].clip(rows[names].quantile(0.01), rows[names].quantile(0.99), axis=1)
    rows[list(TAILS)] = np.log1p(rows[list(TAILS)])
    by = rows.groupby(BY)["distance"]
    rows["mean"], rows["std"] = by.transform("mean"), by.transform("std", ddof=0)
    fold, prior = np.arange(len(rows)) % FOLDS, y.mean()
    key = rows[MANY].fillna("")
    sums = y.groupby([key, fold]).agg(["sum", "size"])
    whole = sums.groupby(level=0).transform("sum")
    rates = (whole["sum"] - sums["sum"] + SMOOTHING * prior) / (whole["size"] - sums["size"] + SMOOTHING)
    rows[MANY] = rates.reindex(pd.MultiIndex.from_arrays([key, fold])).to_numpy()
    rows = pd.get_dummies(rows.drop(columns=BY), columns=list(LEVELS), dtype=np.uint8)
    scaled = [*names, "mean", "std", MANY]
    rows[scaled] = (rows[scaled] - rows[scaled].mean()) / rows[scaled].std(ddof=0)
    rows.to_parquet(out, compression="zstd")


def by_sklearn(path: Path, out: Path) -> None:
    """The same with transformers of scikit-learn; the group aggregates by pandas, which it has none for."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

    def clipped(values: np.ndarray) -> np.ndarray:
        return np.clip(values, *np.nanquantile(values, (0.01, 0.99), axis=0))

    rows = pd.read_parquet(path, columns=READ).dropna(subset=["arr_delay"]).reset_index(drop=True)
    y = (rows.pop("arr_delay") > 15).astype(int)
    by = rows.groupby(BY)["distance"]
    rows["mean"], rows["std"] = by.transform("mean"), by.transform("std", ddof=0)
    rows[MANY] = rows[MANY].fillna("")
    tails, plain = list(TAILS), [name for name in NUMBERS if name not in TAILS]
    numbers = (SimpleImputer(strategy="median"), FunctionTransformer(clipped))
    whole = ColumnTransformer(
        [
            ("tails", make_pipeline(*numbers, FunctionTransformer(np.log1p), StandardScaler()), tails),
            ("plain", make_pipeline(*numbers, StandardScaler()), plain),
            ("groups", StandardScaler(), ["mean", "std"]),
            ("many", make_pipeline(TargetEncoder(cv=FOLDS, smooth=SMOOTHING), StandardScaler()), [MANY]),
            ("levels", OneHotEncoder(sparse_output=False, dtype=np.uint8), list(LEVELS)),
        ]
    )
    pl.from_numpy(whole.fit_transform(rows, y)).write_parquet(out)


CONTENDERS: dict[str, Callable[[Path, Path], None]] = {
    "recipe": by_recipe,
    "polars": by_polars,
    "duckdb": by_duckdb,
    "pandas": by_pandas,
    "sklearn": by_sklearn,
}


def measured(name: str, path: Path) -> dict[str, float]:
    """Run one contender in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.prepare", "--child", name, str(path)]
    found: dict[str, float] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return found


def main(copies: int = COPIES, only: Sequence[str] = tuple(CONTENDERS)) -> None:
    """Print seconds, memory, and their ratios to Polars by hand."""
    with tempfile.TemporaryDirectory(prefix="mlops-bench-", dir=os.environ.get("TMPDIR")) as folder:
        path = Path(folder) / "rows.parquet"
        pl.concat([pl.scan_parquet(SOURCE)] * copies).sink_parquet(path)
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        print(f"prepare: flights x {copies}, {rows:,} rows, in turn", flush=True)
        seen: dict[str, dict[str, float]] = {}
        for name in only:
            seen[name] = measured(name, path)
            print(_line(name, seen[name]), flush=True)
    for name, found in seen.items():
        if name != "polars" and "polars" in seen:
            ratio = {what: found[what] / seen["polars"][what] for what in found}
            told = f"{ratio['cpu']:5.2f}x cpu, {ratio['wall']:5.2f}x wall, {ratio['memory']:4.2f}x memory"
            print(f"  {name:<8} {told} of polars by hand")


def _line(name: str, found: dict[str, float]) -> str:
    seconds = f"cpu {found['cpu']:7.2f}  wall {found['wall']:7.2f}"
    return f"  {name:<8} {seconds}  {found['memory']:5.2f} GiB  {found['columns']:3.0f} columns"


def _run(name: str, path: Path) -> None:
    out = path.with_name(f"{name}.parquet")
    CONTENDERS[name](_small(path), out)  # imports and warms up
    clock, before = time.perf_counter(), os.times()
    CONTENDERS[name](path, out)
    after = os.times()
    columns = len(pl.read_parquet_schema(out))
    out.unlink()
    print(
        json.dumps(
            {
                "wall": time.perf_counter() - clock,
                "cpu": after.user + after.system - before.user - before.system,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
                "columns": float(columns),
            }
        )
    )


def _small(path: Path) -> Path:
    """The first rows, beside the file."""
    small = path.with_name("small.parquet")
    if not small.exists():
        pl.scan_parquet(path).head(5000).sink_parquet(small)
    return small


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="about how many rows; else flights is taken --copies times")
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    asked = _arguments()
    if asked.child:
        _run(asked.child[0], Path(asked.child[1]))
    else:
        main(asked.copies if asked.rows is None else max(1, round(asked.rows / 336_776)), asked.only)
