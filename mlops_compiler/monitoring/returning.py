"""Which rows come back: predicted wrong, the outcome final, from sources that can be trusted, and each row once.

Everything here is a function of what was logged and of the time that it is asked for. Where there are more rows than
may come back, the last outcomes come first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.monitoring.sources import OWN, Labelled, Verdict, judge
from mlops_compiler.monitoring.wrong import off

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlops_compiler.ir.ops.feedback import Choice
    from mlops_compiler.monitoring.wrong import Answered

COLUMNS = ("id", "key", "time", "release", "source", "outcome", "outcome_time", "off", "input")
UNKNOWN, WAITING, FORGOTTEN, UNREADABLE, OLDER, RIGHT, HELD_BACK, QUOTA = (
    "no outcome yet",
    "its outcome may still change",
    "its release is no longer known",
    "its outcome cannot be read",
    "the same row was asked for again later",
    "it was right",
    "its source is held back",
    "its source has had its quota",
)
"""Why a row does not come back, in the order in which that is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """What comes back.

    Attributes:
        rows: The rows, by `COLUMNS`; the last outcome first. Where there are none, ``input`` is not among the columns.
        judged: All rows whose outcome is final and was read: with ``off``, ``wrong`` and ``expected`` beside.
        dropped: How many rows do not come back, by why.
        sources: What each source said, and what is said of it.
    """

    rows: pl.DataFrame
    judged: pl.DataFrame
    dropped: dict[str, int]
    sources: dict[str, dict[str, Any]]

    def account(self) -> dict[str, Any]:
        """Tell of it as JSON."""
        return {"rows": self.rows.height, "dropped": self.dropped, "sources": self.sources}


def returning(joined: pl.DataFrame, answered: Mapping[int, Answered], choice: Choice, now: datetime) -> Returning:
    """Choose the rows that come back.

    Args:
        joined: Predictions beside their outcomes, as `observed.joined` gives them.
        answered: The releases, by number.
        choice: Which rows may come back.
        now: The time.
    """
    dropped: dict[str, int] = {}

    def keep(rows: pl.DataFrame, reason: str, condition: pl.Expr) -> pl.DataFrame:
        left = rows.filter(condition.fill_null(value=False))
        dropped[reason] = rows.height - left.height
        return left

    rows = keep(joined, UNKNOWN, pl.col("outcome").is_not_null())
    rows = keep(rows, WAITING, pl.col("time") <= now - timedelta(seconds=choice.wait))
    rows = keep(rows, FORGOTTEN, pl.col("release").is_in(list(answered)))
    rows = keep(_measured(rows, answered, choice), UNREADABLE, pl.col("off").is_not_nan())
    judged = rows = keep(rows, OLDER, _last_of_its_key())
    verdicts, said = _judged(judged, choice)
    rows = keep(rows, RIGHT, pl.col("wrong"))
    held = [name for name, verdict in verdicts.items() if verdict.held_back]
    rows = keep(rows, HELD_BACK, ~pl.col("source").is_in(held))
    rows = rows.sort("outcome_time", "id", descending=[True, False])
    place = pl.int_range(pl.len()).over("source")
    rows = keep(rows, QUOTA, (place < choice.rows) | ~pl.col("source").str.starts_with(OWN))
    counts = dict(rows["source"].value_counts().rows())
    sources = {
        name: {**_said(said[name]), **asdict(verdicts.get(name, Verdict())), "returns": counts.get(name, 0)}
        for name in sorted(said)
    }
    told = {reason: count for reason, count in dropped.items() if count}
    # Parquet knows no struct without fields, which is what no request at all has asked.
    columns = COLUMNS if rows.height else COLUMNS[:-1]
    return Returning(rows=rows.select(columns), judged=judged, dropped=told, sources=sources)


def _measured(rows: pl.DataFrame, answered: Mapping[int, Answered], choice: Choice) -> pl.DataFrame:
    """Say beside each row how far off it was, whether that is wrong, and how likely that was."""
    found = {name: np.full(rows.height, np.nan) for name in ("off", "wrong", "expected", "surprise")}
    for (release,), part in rows.with_row_index("place").group_by("release"):
        told, places = off(part, answered[int(release)], choice), part["place"].to_numpy()
        for name, values in (("off", told.distance), ("wrong", told.wrong)):
            found[name][places] = values
        found["expected"][places], found["surprise"][places] = told.expected, told.surprise
    source = pl.coalesce(pl.col("outcome_source"), pl.lit("")).alias("source")
    return rows.with_columns(source, *pl.DataFrame(found)).with_columns(pl.col("wrong") == 1)


def _last_of_its_key() -> pl.Expr:
    """Choose of predictions for the same key the last one; without a key each stands for itself."""
    entity = pl.coalesce(pl.col("key"), pl.col("id"))
    return pl.col("id") == pl.col("id").sort_by("time", "id").last().over(entity)


def _said(item: Labelled) -> dict[str, Any]:
    return {"labels": item.rows, "wrong": item.wrong, "expected": item.expected}


def _judged(rows: pl.DataFrame, choice: Choice) -> tuple[dict[str, Verdict], dict[str, Labelled]]:
    sums = [pl.col(name).sum() for name in ("wrong", "expected", "surprise")]
    counts = rows.group_by("source").agg(
        pl.len().alias("rows"), *sums, (pl.col("surprise") ** 2).sum().alias("squares")
    )
    said = {item.pop("source"): Labelled(**item) for item in counts.sort("source").to_dicts()}
    return judge(said, level=choice.level, times=choice.times, keys=choice.keys), said
