"""A set is a table and a small YAML file beside it that says what is to be predicted; each seed splits it its own way.

``NAME.yaml`` in a folder holds:

- ``source``: a CSV or Parquet file, from the folder; ``NA`` and nothing are what is missing.
- ``task``: ``binary_classification``, ``multiclass_classification`` or ``regression``; ``target``: the column.
- ``metric``: what is compared; ``second``: what is told beside it. See `scoring.METRICS`.
- ``where``: an SQL condition on rows; ``derive``: columns by SQL expressions; ``drop``: columns that are left out;
  ``rows``: most rows, drawn by chance, the same ones for each seed. All four may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import yaml

from benchmarks.quality.scoring import METRICS, TASKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHIPPED = Path(__file__).parent / "sets"
HOLDOUT = 0.25
"""The share of the rows that no system sees."""


class SetError(ValueError):
    """A set is not described as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A set as its file describes it.

    Attributes:
        name: The name of the file.
        source: Where the table is.
    """

    name: str
    source: Path
    task: str
    target: str
    metric: str
    second: str
    where: str | None = None
    derive: dict[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The rows of one seed.

    Attributes:
        train: What systems learn from.
        test: What they score, without the target.
        truth: The target of those rows.
    """

    train: pl.DataFrame
    test: pl.DataFrame
    truth: pl.Series


def find_sets(folder: Path = SHIPPED) -> dict[str, Benchmark]:
    """Read all sets of a folder.

    Raises:
        SetError: A file does not say what it must, or says what nobody asks for; or there is none.
    """
    found = {path.stem: read_set(path) for path in sorted(folder.glob("*.yaml"))}
    if not found:
        raise SetError(f"{folder} holds no NAME.yaml that describes a set")
    return found


def read_set(path: Path) -> Benchmark:
    """Read the description of a set."""
    said: Any = yaml.safe_load(path.read_text())
    if not isinstance(said, dict):
        raise SetError(f"{path}: a mapping is wanted")
    known, needed = set(Benchmark.__slots__) - {"name"}, {"source", "task", "target", "metric", "second"}
    if wrong := sorted(set(said) - known) or sorted(needed - set(said)):
        raise SetError(f"{path}: {', '.join(wrong)}: {'not known' if set(said) - known else 'missing'}")
    if said["task"] not in TASKS:
        raise SetError(f"{path}: task is one of {', '.join(TASKS)}")
    for key in ("metric", "second"):
        if said[key] not in METRICS or said["task"] not in METRICS[said[key]].tasks:
            raise SetError(f"{path}: {key} {said[key]!r} does not score a {said['task']}")
    said |= {"source": path.parent / said["source"], "drop": tuple(said.get("drop", ()))}
    return Benchmark(name=path.stem, **said)


def read_rows(item: Benchmark) -> pl.DataFrame:
    """Read the table of a set: its rows, its columns, and no row whose target is missing."""
    if item.source.suffix == ".parquet":
        table = pl.read_parquet(item.source)
    else:
        table = pl.read_csv(item.source, null_values=["", "NA"], infer_schema_length=None)
    if item.where:
        table = table.filter(pl.sql_expr(item.where))
    table = table.with_columns(pl.sql_expr(text).alias(name) for name, text in item.derive.items())
    table = table.drop(item.drop).drop_nulls(item.target)
    if item.rows and item.rows < table.height:
        table = table.sample(item.rows, seed=0, shuffle=True)
    return table if item.task == "regression" else table.with_columns(pl.col(item.target).cast(pl.String))


def split(table: pl.DataFrame, item: Benchmark, seed: int) -> Split:
    """Split a table: each class, or each tenth of the values, gives its share of the holdout."""
    held = held_out(table[item.target], item.task, seed)
    test = table.filter(held)
    order = np.random.default_rng([seed, 1]).permutation(int((~held).sum()))
    return Split(train=table.filter(~held)[order], test=test.drop(item.target), truth=test[item.target])


def held_out(target: pl.Series, task: str, seed: int) -> NDArray[np.bool_]:
    """Say of each row whether it is held out; shape (rows,)."""
    strata = target.rank("ordinal").to_numpy() * 10 // (target.len() + 1) if task == "regression" else target.to_numpy()
    held, random = np.zeros(target.len(), dtype=bool), np.random.default_rng(seed)
    for stratum in sorted(set(strata)):
        rows = random.permutation(np.flatnonzero(strata == stratum))
        held[rows[: round(len(rows) * HOLDOUT)]] = True
    return held
