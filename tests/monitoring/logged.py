"""What a service logs, written by hand: predictions and the outcomes that were told of them."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import polars as pl

from mlops_compiler.monitoring import observed
from mlops_compiler.store.segments import LABELS, PREDICTIONS, Segments
from mlops_compiler.store.served import LABEL, PREDICTION

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def prediction(name, minutes, key=None, role="answer", release=1, **given):
    about = {"id": name, "time": at(minutes), "release": release, "role": role, "client": "crm", "key": key}
    return about | {"seconds": 0.01, "input": given or {"tenure": 5}, "output": {"probability": 0.5, "decision": "No"}}


def told(outcome, minutes, name=None, key=None, source="key:crm"):
    return {"id": name, "key": key, "outcome": outcome, "time": at(minutes), "source": source}


def add(location, kind, rows, schema, log="churn"):
    buffer = io.BytesIO()
    frame = pl.DataFrame(rows).cast({name: dtype for name, dtype in schema.items() if name in rows[0]})
    frame.write_parquet(buffer)
    return Segments(location, kind, log).append(buffer.getvalue())


def predicted(location, *rows, **where):
    return add(location, PREDICTIONS, list(rows), PREDICTION, **where)


def labelled(location, *rows, **where):
    return add(location, LABELS, list(rows), LABEL, **where)


def outcome_of(location):
    return dict(observed.joined(location, "churn").select("id", "outcome").rows())
