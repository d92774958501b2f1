"""Laws of preparation, on made-up tables and made-up steps."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mlops_compiler.diagnostics import DataError, EngineError
from mlops_compiler.tables.account import account
from mlops_compiler.tables.expressions import NotRowWiseError
from mlops_compiler.tables.fusion import group_steps, scans
from mlops_compiler.tables.infer import infer
from mlops_compiler.tables.preparation import FittedPreparation, fit
from mlops_compiler.tables.steps import LABEL, WEIGHT
from mlops_compiler.tables.stream import Stream
from mlops_compiler.testing.steps import steps as steps_over

LAW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NUMBERS, TEXTS = ("i", "f", "g"), ("t", "u")
EXPRESSIONS = (
    "f / 7",
    "f * 12 / 7",
    "f / i",
    "f / greatest(i, 1)",
    "i / 3",
    "g * g - f",
    "ln(abs(g) + 1)",
    "i % 5",
    "f / 100",
)


floats = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([0.1, 1 / 3, 20.15, 118.75]))
tables = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.one_of(st.none(), st.integers(-50, 50)),
            "f": floats,
            "g": floats,
            "t": st.sampled_from(["a", "b", "c", None]),
            "u": st.sampled_from(["x", "yy", "x=y", ""]),
            LABEL: st.integers(0, 1),
        }
    ),
    min_size=2,
    max_size=12,
).map(
    lambda rows: pl.DataFrame(
        rows, schema={"i": pl.Int64, "f": pl.Float64, "g": pl.Float64, "t": pl.String, "u": pl.String, LABEL: pl.Int8}
    )
)
steps = steps_over(
    NUMBERS,
    TEXTS,
    made=("new",),
    expressions=EXPRESSIONS,
    conditions=("f > 0", "t = 'a' OR i IS NULL", "g < 1000"),
)
preparations = st.lists(steps, min_size=1, max_size=5)


def inferred(listed, schema):
    """Infer the schema after all steps; where a step does not fit what reaches it, the example is not one."""
    try:
        for step in listed:
            schema = infer(step, schema)
    except (pl.exceptions.PolarsError, KeyError, ValueError, NotRowWiseError):
        assume(condition=False)
    return schema


def fit_or_skip(groups, rows):
    try:
        return fit(groups, rows)
    except DataError:
        assume(condition=False)
        raise


@LAW
@given(rows=tables, listed=preparations)
def test_the_inferred_schema_is_the_real_one(named, schema_of, rows, listed):
    schema = inferred(listed, schema_of(rows))
    _, prepared = fit_or_skip(group_steps(named(*listed)), rows)
    prepared = prepared.drop(LABEL, WEIGHT, strict=False)
    closed = {column.name: column.dtype for column in schema if not column.is_open}
    opened = tuple(column.name[:-1] for column in schema if column.is_open)
    real = {name: dtype for name, dtype in prepared.schema.items() if name in closed}
    assert list(real.items()) == list(closed.items())
    assert all(name.startswith(opened) for name in prepared.columns if name not in closed)
    assert all(prepared.schema[name] == pl.UInt8 for name in prepared.columns if name not in closed)


@LAW
@given(rows=tables, listed=preparations)
def test_fewer_scans_learn_the_same(named, schema_of, rows, listed):
    inferred(listed, schema_of(rows))
    fused = group_steps(named(*listed))
    apart = tuple((step,) for step in named(*listed))
    together, prepared = fit_or_skip(fused, rows)
    one_by_one, wanted = fit_or_skip(apart, rows)
    assert together == one_by_one
    assert_frame_equal(prepared, wanted, check_exact=True)
    assert scans(fused) <= scans(apart)
    assert [step for group in fused for step in group] == list(named(*listed))


@LAW
@given(rows=tables, listed=preparations)
def test_a_row_alone_gives_the_bits_that_it_gives_beside_others(named, schema_of, rows, listed):
    inferred(listed, schema_of(rows))
    preparation, _ = fit_or_skip(group_steps(named(*listed)), rows)
    together = preparation.transform(rows)
    alone = pl.concat([preparation.transform(rows[index]) for index in range(rows.height)])
    assert together.height == rows.height
    assert bits_of(alone) == bits_of(together)


def bits_of(frame):
    return {name: [repr(value) for value in frame[name]] for name in frame.columns}


@LAW
@given(rows=tables, listed=preparations)
def test_a_preparation_survives_json(named, schema_of, rows, listed):
    inferred(listed, schema_of(rows))
    preparation, prepared = fit_or_skip(group_steps(named(*listed)), rows)
    again = FittedPreparation.from_json(json.loads(json.dumps(preparation.to_json(), allow_nan=False)))
    assert again == preparation
    assert_frame_equal(again.transform(rows, "training"), prepared, check_exact=True)


@LAW
@given(rows=tables, others=tables, listed=preparations)
def test_nothing_is_learned_from_rows_that_are_scored(named, schema_of, rows, others, listed):
    inferred(listed, schema_of(rows))
    preparation, _ = fit_or_skip(group_steps(named(*listed)), rows)
    before = json.dumps(preparation.to_json())
    try:
        beside = preparation.transform(pl.concat([rows, others])).head(rows.height)
        assert bits_of(beside) == bits_of(preparation.transform(rows))
    except DataError:
        pass  # the other rows hold what a step refuses
    assert json.dumps(preparation.to_json()) == before


@LAW
@given(rows=tables, listed=preparations)
def test_the_account_adds_up(named, schema_of, rows, listed):
    inferred(listed, schema_of(rows))
    preparation, prepared = fit_or_skip(group_steps(named(*listed)), rows)
    told, dropped = account(preparation, rows)
    heights = [rows.height, *(entry["rows_out"] for entry in told)]
    assert [entry["rows_in"] for entry in told] == heights[:-1]
    shown = prepared.drop(LABEL, WEIGHT, strict=False)
    assert (told[-1]["rows_out"], told[-1]["columns_out"]) == shown.shape
    assert told[-1]["nulls_out"] == sum(shown.null_count().row(0))
    counted = {entry["step"]: entry["rows_in"] - entry["rows_out"] for entry in told}
    named = dict(dropped["step"].value_counts().iter_rows())
    assert named == {
        name: count for name, count in counted.items() if count and preparation_op(preparation, name) in ROW_DROPPERS
    }
    assert dropped["row"].n_unique() == dropped.height
    json.dumps(told, allow_nan=False)


ROW_DROPPERS = ("filter", "deduplicate")


def preparation_op(preparation, name):
    return next(step.step.op for step in preparation.steps if step.name == name)


@pytest.mark.parametrize("step", [{"op": "no_such"}, {"op": "drop"}, {}, {"op": "drop", "columns": 1}], ids=str)
def test_a_step_of_another_version_is_refused(step):
    with pytest.raises(EngineError) as refused:
        FittedPreparation.from_json({"steps": [{"name": "s", "step": step, "learned": {}}]})
    assert refused.value.diagnostics[0].code == "artifact-unreadable"


@LAW
@given(rows=tables, listed=preparations, held=st.tuples(st.sampled_from([1, 2, 7]), st.sampled_from([1, 2**28])))
def test_batches_teach_what_the_whole_does(named, schema_of, monkeypatch, rows, listed, held):
    """Fitted and prepared some rows at a time, with columns held one by one or together (L-ACQ-1)."""
    size, budget = held
    monkeypatch.setattr("mlops_compiler.tables.asking.BUDGET", budget)
    inferred(listed, schema_of(rows))
    groups = group_steps(named(*listed))
    preparation, wanted = fit_or_skip(groups, rows)
    streamed, prepared = fit(groups, Stream.of(rows, size))
    assert streamed == preparation
    assert bits_of(prepared.collect()) == bits_of(wanted)
    for name in wanted.columns:
        assert bits_of(prepared.collect([name])) == bits_of(wanted.select(name))


@LAW
@given(rows=tables, listed=preparations, size=st.sampled_from([1, 3]))
def test_what_cannot_be_learned_is_refused_in_batches_too(named, schema_of, rows, listed, size):
    inferred(listed, schema_of(rows))
    groups = group_steps(named(*listed))

    def told(run):
        try:
            run()
        except DataError as error:
            return [(item.code, item.headline, item.notes) for item in error.diagnostics]
        return None

    def in_batches():
        return fit(groups, Stream.of(rows, size))[1].collect()

    assert told(lambda: fit(groups, rows)) == told(in_batches)
