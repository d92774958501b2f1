"""Filters go up past what learns nothing, and into the reading; never past what learns."""

from __future__ import annotations

import pytest

from mlops_compiler.ir.ops.preparation import Matrix
from mlops_compiler.ir.ops.prepare import Derive, Filter, Impute, Log1p, Standardize
from mlops_compiler.passes.prune_columns import prune_columns
from mlops_compiler.passes.push_filters import push_filters
from mlops_compiler.passes.verify import verify

KEEP = Filter(where="b > 1", max_loss=1.0)
TEXT = Filter(where="u = 'p'", max_loss=0.5)
RATIO = Derive(expressions=(("p", "a / b"),))
SCALE = Standardize(columns=("a",))

AFTER = {
    "into the reading": (
        [KEEP, SCALE],
        [
            "project: project <- snapshot, split",
            "    columns=[id, a, b, t, u, y]",
            "    s0: filter where='b > 1' max_loss=1.0",
            "prepare.s1: prepare <- project",
            "    standardize columns=[a]",
        ],
    ),
    "past a derived column": (
        [RATIO, KEEP],
        [
            "project: project <- snapshot, split",
            "    columns=[id, a, b, t, u, y]",
            "    s1: filter where='b > 1' max_loss=1.0",
            "prepare.s0: prepare <- project",
            "    derive expressions=[[p, 'a / b']]",
        ],
    ),
    "two keep their order": (
        [RATIO, KEEP, TEXT],
        [
            "project: project <- snapshot, split",
            "    columns=[id, a, b, t, u, y]",
            "    s1: filter where='b > 1' max_loss=1.0",
            "    s2: filter where=\"u = 'p'\" max_loss=0.5",
            "prepare.s0: prepare <- project",
            "    derive expressions=[[p, 'a / b']]",
        ],
    ),
    "up to what learns": (
        [SCALE, RATIO, KEEP],
        [
            "prepare.s0: prepare <- snapshot, split",
            "    standardize columns=[a]",
            "prepare.s2: prepare <- prepare.s0",
            "    filter where='b > 1' max_loss=1.0",
            "prepare.s1: prepare <- prepare.s2",
            "    derive expressions=[[p, 'a / b']]",
        ],
    ),
}

LEFT = {
    "no filter": [RATIO, SCALE],
    "it would learn from other rows": [SCALE, KEEP],
    "what it reads is set before": [Impute(columns=("b",), value=0), KEEP],
    "what it reads is made before": [RATIO, Filter(where="p > 1", max_loss=1.0), Log1p(columns=("a",))],
}


@pytest.mark.parametrize("case", AFTER.values(), ids=AFTER)
def test_drops_rows_early(program_of, prepare_lines, case):
    steps, wanted = case
    before = program_of(*steps)
    after = push_filters(before)
    verify(after)
    assert prepare_lines(after) == wanted
    assert after.the(Matrix)[1] == before.the(Matrix)[1]
    assert push_filters(after) == after


@pytest.mark.parametrize("steps", LEFT.values(), ids=LEFT)
def test_must_not_fire_where(program_of, steps):
    program = program_of(*steps)
    assert push_filters(program) is program


def test_a_column_that_only_the_filter_reads_is_not_kept(program_of, prepare_lines):
    after = push_filters(prune_columns(program_of(TEXT, SCALE)))
    verify(after)
    assert prepare_lines(after)[:3] == [
        "project: project <- snapshot, split",
        "    columns=[a, b, y]",
        "    s0: filter where=\"u = 'p'\" max_loss=0.5",
    ]
