"""A pass keeps the meaning of every program, and running it again changes nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import Context, StageTask
from mlops_compiler.backends.stages.folds import make_folds, prepared
from mlops_compiler.backends.stages.prepare import Pipeline
from mlops_compiler.backends.stages.rows import read_rows
from mlops_compiler.diagnostics import DataError
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, Prepare, Project
from mlops_compiler.ir.ops.prepare import Cast, Derive, DropConstant, DropCorrelated, SelectKBest, Standardize
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.passes.manager import PASSES, optimise, trace
from mlops_compiler.passes.verify import verify
from mlops_compiler.plan.build import build_plan
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.writer import open_writer
from mlops_compiler.tables.matrix import design_matrix
from mlops_compiler.tables.preparation import expand, fit
from mlops_compiler.tables.steps import LABEL
from mlops_compiler.testing.steps import some
from mlops_compiler.testing.steps import steps as steps_over

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


steps = st.one_of(
    steps_over(
        NUMBERS,
        TEXTS,
        made=("p", "q"),
        expressions=("a + b", "a+b", "b / 3", "a * 2", "b - a"),
        conditions=("u = 'p'", "a < 9", "id != 'c3'"),
        beside=("p", "q"),
    ),
    st.builds(Derive, expressions=st.just((("q", "b * 2"), ("p", "a"))), remove=some((*NUMBERS, *TEXTS))),
    st.builds(Cast, columns=some(NUMBERS), to=st.just("float")),
)


CHOICES = ("a", "b", "p", "t=*")
"""Steps that choose among columns come last."""
selections = st.one_of(
    st.builds(SelectKBest, columns=some(CHOICES), k=st.integers(1, 3)),
    st.builds(DropConstant, columns=some(CHOICES), min_variance=st.sampled_from([0.0, 0.2])),
    st.builds(DropCorrelated, columns=some(CHOICES), above=st.sampled_from([0.5, 0.95])),
)
preparations = st.tuples(st.lists(steps, max_size=6), st.lists(selections, max_size=2)).map(
    lambda both: [*both[0], *both[1]]
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
    read = pipeline.before.transform(rows.select(pipeline.source) if pipeline.source else rows, "scoring")
    split = program.the(Split)[1]
    read = read.with_columns((pl.col(split.target) == split.positive).cast(pl.Int8).alias(LABEL))
    _, prepared = fit(pipeline.groups, read)
    features = [name for name in expand(pipeline.features, prepared.columns) if name in prepared.columns]
    return features, design_matrix(prepared, features)


@LAW
@given(listed=preparations)
def test_passes_are_idempotent_and_verified(make, listed):
    program = make(listed)
    for one in PASSES:
        once = one(program)
        verify(once)
        assert one(once) == once
    assert optimise(optimise(program)) == optimise(program)


@LAW
@given(listed=preparations)
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


MORE = """\
  twice: {op: derive, columns: {same_again: "total_charges/greatest(tenure, 1)"}}
  grown: {op: filter, where: tenure > 3, because: the first months are another matter}
  cheap: {op: filter, where: monthly_charges < 100}
"""


def test_a_run_of_the_optimised_program_gives_the_same_folds(tmp_path, monkeypatch):
    """Both programs go through the stages that read, split, fit and deal; their matrices are the same bits."""
    recipes = tmp_path / "recipes"
    (recipes / "data").mkdir(parents=True)
    lines = Path("recipes/data/telco_churn.csv").read_text().splitlines(keepends=True)[:801]
    (recipes / "data" / "telco_churn.csv").write_text("".join(lines))
    before, found, after = Path("recipes/churn.yaml").read_text().partition("  long_tails:")
    (recipes / "other.yaml").write_text(before + MORE + found + after)
    monkeypatch.chdir(tmp_path)
    (compiled,) = launch(["recipe=other", "validate.folds.k=3"], compile_recipe)
    assert [step.name for step in compiled.optimised.the(Project)[1].filters] == ["grown", "cheap"]
    found = [_folds(program, compiled.composed.root, tmp_path / name) for name, program in _both(compiled)]
    for (plain, names), (fast, again) in pairwise(found):
        assert names == again
        for one, other in zip(plain, fast, strict=True):
            np.testing.assert_array_equal(one, other)


def _both(compiled):
    return (("plain", compiled.program), ("fast", compiled.optimised))


def _folds(program, root, place):
    """Run the first stages of a program in this process; give the matrices of its folds, and its features."""
    location = StoreLocation(url=str(place))
    plan = build_plan(program, root, open_reader(location))
    tasks = {
        stage.name: StageTask(stage=stage, recipe="churn", root=str(root), store=location, run_id="r1", facts={})
        for stage in plan.to_run
    }
    records = run_in_process([tasks[name] for name in ("snapshot", "split", "prepare")], {})
    context = Context(task=tasks["search"], store=open_writer(location), inputs=records)
    folds = make_folds(context, program.the(Search)[1].candidates)
    final = context.read_json("prepare", "preparations")["final"]
    rows = read_rows(context, None).frame
    whole = prepared(final, rows, "training")
    return [*(part for fold in folds.folds for part in (fold.X, fold.y, fold.X_held)), whole.X, whole.y], final[
        "features"
    ]


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
