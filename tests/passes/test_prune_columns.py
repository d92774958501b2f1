"""Columns that reach no feature are not read, and steps that make nothing else fall away."""

from __future__ import annotations

import pytest

from mlops_compiler.ir.ops.preparation import Matrix, Project
from mlops_compiler.ir.ops.prepare import Cast, Derive, Drop, Filter, Impute, Log1p, OneHot, Standardize
from mlops_compiler.passes.prune_columns import prune_columns
from mlops_compiler.passes.verify import verify


def encode(*columns):
    return OneHot(columns=columns, max_levels=9, rare="group")


AFTER = {
    "texts that reach nothing": (
        [],
        None,
        ["project: project <- snapshot, split", "    columns=[a, b, y]"],
    ),
    "a drop": (
        [Drop(columns=("a",))],
        None,
        ["project: project <- snapshot, split", "    columns=[b, y]"],
    ),
    "a step on what is dropped later": (
        [Log1p(columns=("a", "b")), Drop(columns=("a",))],
        None,
        [
            "project: project <- snapshot, split",
            "    columns=[b, y]",
            "prepare.s0: prepare <- project",
            "    log1p columns=[b]",
        ],
    ),
    "a chain that ends in nothing": (
        [Derive(expressions=(("p", "a + 1"),)), Log1p(columns=("p",)), Drop(columns=("p",))],
        None,
        ["project: project <- snapshot, split", "    columns=[a, b, y]"],
    ),
    "one of two derived columns": (
        [Derive(expressions=(("p", "a + 1"), ("q", "UPPER(u)"))), encode("t")],
        None,
        [
            "project: project <- snapshot, split",
            "    columns=[a, b, t, y]",
            "prepare.s0: prepare <- project",
            "    derive expressions=[[p, 'a + 1']]",
            "prepare.s1: prepare <- prepare.s0",
            "    one_hot columns=[t] max_levels=9 rare=group",
        ],
    ),
    "a column that only a filter reads": (
        [Filter(where="u = 'x'", max_loss=1.0), Cast(columns=("t",), to="int"), Drop(columns=("t",))],
        None,
        [
            "project: project <- snapshot, split",
            "    columns=[a, b, u, y]",
            "prepare.s0: prepare <- project",
            "    filter where=\"u = 'x'\" max_loss=1.0",
        ],
    ),
    "a column that is written over": (
        [Impute(columns=("a",), value=0), Derive(expressions=(("a", "b * 2"),))],
        None,
        [
            "project: project <- snapshot, split",
            "    columns=[b, y]",
            "prepare.s1: prepare <- project",
            "    derive expressions=[[a, 'b * 2']]",
        ],
    ),
    "a column that is read after it is dropped and made again": (
        [Drop(columns=("a",)), Derive(expressions=(("a", "b * 2"),)), Standardize(columns=("a",))],
        ["a"],
        [
            "project: project <- snapshot, split",
            "    columns=[b, y]",
            "prepare.s1: prepare <- project",
            "    derive expressions=[[a, 'b * 2']]",
            "prepare.s2: prepare <- prepare.s1",
            "    standardize columns=[a]",
        ],
    ),
}


@pytest.mark.parametrize("case", AFTER.values(), ids=AFTER)
def test_leaves_what_is_needed(program_of, prepare_lines, case):
    steps, features, wanted = case
    before = program_of(*steps, features=features)
    after = prune_columns(before)
    verify(after)
    assert prepare_lines(after) == wanted
    assert after.the(Matrix)[1] == before.the(Matrix)[1]
    assert prune_columns(after) == after


def test_must_not_fire_where_all_is_needed(program_of):
    program = program_of(Filter(where="id != ''", max_loss=1.0), encode("t", "u"), Standardize(columns=("a",)))
    assert prune_columns(program) is program


def test_the_target_is_always_kept(churn):
    (_, project) = prune_columns(churn.program).the(Project)
    assert "churn" in project.columns
    assert not {"customer_id", "phone_service"} & set(project.columns)
