"""The design matrix holds numbers only, in the order asked for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError
from mlops_compiler.tables.matrix import design_matrix, refuse_missing

ROWS = pl.DataFrame({"f": [1.5, None], "i": [2, 3], "b": [True, False], "t": ["a", "b"]})


def test_columns_stand_in_the_order_asked_for():
    matrix = design_matrix(ROWS, ["b", "f", "i"])
    assert matrix.dtype == np.float64
    assert matrix.flags.c_contiguous
    np.testing.assert_array_equal(matrix, [[1.0, 1.5, 2.0], [0.0, np.nan, 3.0]])


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_each_row_is_the_same_alone(rows):
    matrix = design_matrix(ROWS.head(rows), ["f", "i"])
    assert matrix.shape == (rows, 2)
    np.testing.assert_array_equal(matrix, design_matrix(ROWS, ["f", "i"])[:rows])


VALUES = {
    "int": (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "small": (pl.UInt8, st.integers(0, 255)),
    "float": (pl.Float64, st.floats()),
    "single": (pl.Float32, st.floats(width=32)),
    "bool": (pl.Boolean, st.booleans()),
    "day": (pl.Date, st.dates()),
}


@given(st.fixed_dictionaries({name: st.none() | values for name, (_, values) in VALUES.items()}), st.booleans())
def test_a_row_alone_has_the_bits_of_the_row_beside_another(row, with_day):
    frame = pl.DataFrame([row], schema={name: dtype for name, (dtype, _) in VALUES.items()})
    features = [name for name in reversed(VALUES) if with_day or name != "day"]
    alone, beside = design_matrix(frame, features), design_matrix(pl.concat([frame, frame]), features)
    assert alone.tobytes() == beside[:1].tobytes()
    assert (alone.shape, alone.flags.c_contiguous) == ((1, len(features)), True)


def test_what_a_model_cannot_take_is_counted_by_column():
    matrix = np.array([[1.0, np.nan, 1.0], [np.inf, np.nan, 1.0]])
    refuse_missing(matrix[:, 2:], ["c"], "model `m`")
    with pytest.raises(DataError) as refused:
        refuse_missing(matrix, ["a", "b", "c"], "model `m`")
    (found,) = refused.value.diagnostics
    assert found.code == "missing-values"
    assert "model `m`" in found.headline
    assert [note.text for note in found.notes] == ["`a`: 1 of 2 rows", "`b`: 2 of 2 rows"]
