"""A pass keeps the meaning of every program, and running it again changes nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.stages.prepare import Pipeline, expand
from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.lifecycle import FusedPrepare, Matrix, Prepare, Project
from mlops_compiler.ir.ops.prepare import Derive, Drop, Filter, Impute, Log1p, OneHot, Standardize
from mlops_compiler.passes.manager import PASSES, optimise, trace
from mlops_compiler.passes.verify import verify
from mlops_compiler.tables.matrix import design_matrix
from mlops_compiler.tables.preparation import fit

LAW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
ROWS = pl.DataFrame(
    {
        "id": [f"c{index}" for index in range(40)],
        "a": [None if index % 7 == 3 else index % 11 for index in range(40)],
        "b": [None if index % 9 == 5 else index / 7 for index in range(40)],
        "t": [("x", "y", "z", None)[index % 4] for index in range(40)],
        "u": [("p", "q")[index % 5 % 2] for index in range(40)],
        "y": [("no", "yes")[index % 3 % 2] for index in range(40)],
    }
)
NUMBERS, TEXTS = ("a", "b"), ("t", "u")


def some(names):
    return st.lists(st.sampled_from(names), min_size=1, max_size=len(names), unique=True).map(tuple)


steps = st.one_of(
    st.builds(Impute, columns=some(NUMBERS), value=st.sampled_from([0, 1.5])),
    st.builds(Impute, columns=some(NUMBERS), statistic=st.sampled_from(["mean", "median", "mode"])),
    st.builds(
        Derive,
        expressions=st.lists(
            st.tuples(st.sampled_from(["a", "p", "q"]), st.sampled_from(["a + b", "b / 3", "a * 2", "b - a"])),
            min_size=1,
            max_size=3,
            unique_by=lambda pair: pair[0],
        ).map(tuple),
    ),
    st.builds(Standardize, columns=some((*NUMBERS, "p"))),
    st.builds(Log1p, columns=some(("a", "p"))),
    st.builds(OneHot, columns=some(TEXTS), max_levels=st.integers(1, 3), rare=st.just("group")),
    st.builds(Drop, columns=some((*NUMBERS, *TEXTS, "p", "q"))),
    st.builds(Filter, where=st.sampled_from(["u = 'p'", "a < 9", "id != 'c3'"]), max_loss=st.just(1.0)),
)


@pytest.fixture(scope="module")
def make(program_of):
    def make(listed):
        try:
            return program_of(*listed)
        except (pl.exceptions.PolarsError, KeyError, ValueError):
            assume(condition=False)
            raise

    return make


def matrix_of(program, rows):
    """Fit the preparation on the rows and give their matrix."""
    pipeline = Pipeline.of([node for node in program if isinstance(node.op, Project | Prepare | FusedPrepare | Matrix)])
    _, prepared = fit(pipeline.groups, rows.select(pipeline.columns) if pipeline.columns else rows)
    features = expand(pipeline.features, prepared.columns)
    return features, design_matrix(prepared, features)


@LAW
@given(listed=st.lists(steps, max_size=6))
def test_passes_are_idempotent_and_verified(make, listed):
    program = make(listed)
    for one in PASSES:
        once = one(program)
        verify(once)
        assert one(once) == once
    assert optimise(optimise(program)) == optimise(program)


@LAW
@given(listed=st.lists(steps, max_size=6))
def test_optimised_programs_give_the_same_matrix(make, listed):
    program = make(listed)
    try:
        features, wanted = matrix_of(program, ROWS)
    except DataError:
        assume(condition=False)
    for one in (*PASSES, optimise):
        names, found = matrix_of(one(program), ROWS)
        assert names == features
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("one", [*PASSES, optimise], ids=lambda one: one.__name__)
def test_the_matrix_of_churn_is_the_same(churn, churn_rows, one):
    features, wanted = matrix_of(churn.program, churn_rows)
    names, found = matrix_of(one(churn.program), churn_rows)
    assert names == features
    assert wanted.shape == (500, len(features))
    np.testing.assert_array_equal(found, wanted)


def test_each_pass_starts_from_the_one_before(churn):
    effects = trace(churn.program)
    assert [effect.name for effect in effects] == [one.__name__ for one in PASSES]
    assert effects[-1].program == churn.optimised
    for (before, _), (effect, one) in pairwise(zip([None, *effects], [None, *PASSES], strict=True)):
        assert one(before.program if before else churn.program) == effect.program


def test_a_program_with_a_wrong_schema_is_found(program_of):
    program = program_of(Standardize(columns=("a",)))
    broken = program.with_nodes(
        node if node.name != "prepare.s0" else type(node)(name=node.name, op=node.op, inputs=node.inputs)
        for node in program
    )
    with pytest.raises(ValueError, match=r"prepare\.s0"):
        verify(broken)
