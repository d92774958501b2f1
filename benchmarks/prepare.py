"""A typical preparation, by a recipe's steps and by hand: flights, many times over, each way in a process of its own.

The work: late flights as the label; cancelled ones left out; eight columns imputed by their median and clipped at 1 %
and 99 %; two of them log1p; three one-hot; the plane (4,043 levels) target-encoded, cross-fitted in five parts; mean
and deviation of the distance by destination; all numbers standardised. What is printed is the work from the file to
the prepared table: CPU and wall seconds, and the peak of the process's memory.

DuckDB is not among the contenders: the project does not depend on it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

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


def by_recipe(path: Path) -> Any:
    """The steps of a recipe, as the stage `prepare` fits them."""
    from mlops_compiler.ir.ops import prepare as ops
    from mlops_compiler.ir.ops.lifecycle import NamedStep
    from mlops_compiler.tables.fusion import group_steps
    from mlops_compiler.tables.preparation import fit
    from mlops_compiler.tables.steps import LABEL

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
    rows = pl.scan_parquet(path).select(READ).filter(pl.col("arr_delay").is_not_null())
    labelled = rows.with_columns((pl.col("arr_delay") > 15).cast(pl.Int8).alias(LABEL)).drop("arr_delay")
    named = [NamedStep(name=f"s{number}", step=step) for number, step in enumerate(steps)]
    return fit(group_steps(named), labelled.collect())[1]


def by_polars(path: Path) -> Any:
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
    return rows.select(
        *((pl.col(name) - means[name]) / deviations[name] for name in scaled),
        *((pl.col(name) == level).cast(pl.UInt8).alias(f"{name}={level}") for name in LEVELS for level in levels[name]),
    ).collect(engine="streaming")


def by_pandas(path: Path) -> Any:
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
    return rows


def by_sklearn(path: Path) -> Any:
    """The same with transformers of scikit-learn; the group aggregates by pandas, which it has none for."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

    def clipped(values: Any) -> Any:
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
    return whole.fit_transform(rows, y)


CONTENDERS: dict[str, Callable[[Path], Any]] = {
    "recipe": by_recipe,
    "polars": by_polars,
    "pandas": by_pandas,
    "sklearn": by_sklearn,
}


def measured(name: str, path: Path) -> dict[str, float]:
    """Run one contender in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.prepare", name, str(path)]
    found: dict[str, float] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return found


def main(copies: int = COPIES) -> None:
    """Print seconds, memory, and their ratios to Polars by hand."""
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder:
        path = Path(folder) / "rows.parquet"
        pl.concat([pl.scan_parquet(SOURCE)] * copies).sink_parquet(path)
        print(f"prepare: flights x {copies}, {pl.scan_parquet(path).select(pl.len()).collect().item():,} rows, in turn")
        seen = {name: measured(name, path) for name in CONTENDERS}
    for name, found in seen.items():
        ratio = {what: found[what] / seen["polars"][what] for what in found}
        told = f"{ratio['cpu']:5.2f}x cpu, {ratio['wall']:5.2f}x wall, {ratio['memory']:4.2f}x memory of polars by hand"
        print(
            f"  {name:<8} cpu {found['cpu']:7.2f}  wall {found['wall']:7.2f}  {found['memory']:5.2f} GiB  "
            f"{found['columns']:3.0f} columns  {told if name != 'polars' else ''}"
        )


def _run(name: str, path: Path) -> None:
    CONTENDERS[name](_small(path))  # imports and warms up
    clock, before = time.perf_counter(), os.times()
    made = CONTENDERS[name](path)
    after = os.times()
    print(
        json.dumps(
            {
                "wall": time.perf_counter() - clock,
                "cpu": after.user + after.system - before.user - before.system,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
                "columns": float(made.shape[1]),
            }
        )
    )


def _small(path: Path) -> Path:
    """The first rows, beside the file."""
    small = path.with_name("small.parquet")
    if not small.exists():
        pl.scan_parquet(path).head(5000).sink_parquet(small)
    return small


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _run(sys.argv[1], Path(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
