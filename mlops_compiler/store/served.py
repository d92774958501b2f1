"""What services log, as tables: the columns of each kind of segment, known to those who write and to those who read."""

from __future__ import annotations

import polars as pl

TIME = pl.Datetime("us", "UTC")
ANSWER, CANARY, SHADOW, VERIFICATION = "answer", "canary", "shadow", "verification"
"""The part that a release had in a request: it answered, it answered while it was on trial, it was only compared, or it
was asked by whoever deploys it, to see whether it answers as it should."""
PREDICTION: dict[str, pl.DataType] = {
    "id": pl.String(),
    "time": TIME,
    "release": pl.Int32(),
    "role": pl.String(),
    "client": pl.String(),
    "key": pl.String(),
    "seconds": pl.Float64(),
}
"""Of each row that was scored: its name, when, by which release in which part, for whom (the name of the API key, empty
without), the recipe's key as a text, how long the request took. ``input`` and ``output`` follow, structs of the
contract's fields and of what `Predictor.predict` gives."""
INPUT, OUTPUT = "input", "output"
LABEL: dict[str, pl.DataType] = {
    "id": pl.String(),
    "key": pl.String(),
    "outcome": pl.String(),
    "time": TIME,
    "source": pl.String(),
}
"""Of each outcome: the prediction's name or the recipe's key, what came, when that was told, and by whom: ``key:NAME``
for an API key, ``service`` for a service without keys, ``file:PATH``, or the kind of a source."""
TRAFFIC: dict[str, pl.DataType] = {
    "time": TIME,
    "replica": pl.String(),
    "release": pl.Int32(),
    "role": pl.String(),
    "status": pl.Int32(),
    "code": pl.String(),
    "requests": pl.Int64(),
    "rows": pl.Int64(),
    "seconds_sum": pl.Float64(),
    "seconds_p50": pl.Float64(),
    "seconds_p95": pl.Float64(),
    "seconds_p99": pl.Float64(),
    "lost": pl.Int64(),
}
"""Of each minute and replica, by status and by the code of a refusal: requests, rows, and how long they took. ``lost``
are rows that were answered and could not be logged."""
