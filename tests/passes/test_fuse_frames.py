"""Adjacent steps are one query, as long as none needs what another of them learns."""

from __future__ import annotations

import pytest

from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix
from mlops_compiler.ir.ops.prepare import Derive, Filter, Impute, Log1p, OneHot, Standardize
from mlops_compiler.passes.fuse_frames import fuse_frames
from mlops_compiler.passes.verify import verify

FILL = Impute(columns=("a", "b"), statistic="median")
SCALE = Standardize(columns=("a",))
ENCODE = OneHot(columns=("t", "u"), max_levels=9, rare="group")
KEEP = Filter(where="b > 0", max_loss=1.0)

GROUPS = {
    "nothing learned": ([Impute(columns=("a",), value=0), Log1p(columns=("a",))], [["s0", "s1"]]),
    "learned from other columns": ([SCALE, ENCODE], [["s0", "s1"]]),
    "learned from what is learned": ([FILL, SCALE], [["s0"], ["s1"]]),
    "learned from what is derived from what is learned": (
        [FILL, Derive(expressions=(("p", "a + b"),)), Standardize(columns=("p",))],
        [["s0", "s1"], ["s2"]],
    ),
    "derived from what is learned": ([SCALE, Derive(expressions=(("p", "a + b"),)), ENCODE], [["s0", "s1", "s2"]]),
    "a filter before": ([KEEP, SCALE], [["s0", "s1"]]),
    "a filter after": ([SCALE, KEEP, ENCODE], [["s0"], ["s1", "s2"]]),
    "overwritten with what is not learned": (
        [FILL, Derive(expressions=(("a", "1 + 1"),)), SCALE],
        [["s0", "s1", "s2"]],
    ),
}


@pytest.mark.parametrize("case", GROUPS.values(), ids=GROUPS)
def test_cuts_where_a_scan_needs_an_earlier_one(program_of, case):
    steps, wanted = case
    before = program_of(*steps)
    after = fuse_frames(before)
    verify(after)
    assert [[named.name for named in op.steps] for _, op in after.of(FusedPrepare)] == wanted
    assert [named.step for _, op in after.of(FusedPrepare) for named in op.steps] == steps
    assert after.the(Matrix)[0].schema == before.the(Matrix)[0].schema
    assert fuse_frames(after) == after


def test_prints_as_one_node(program_of, prepare_lines):
    before = program_of(Log1p(columns=("b",)), SCALE)
    assert prepare_lines(before) == [
        "prepare.s0: prepare <- snapshot, split",
        "    log1p columns=[b]",
        "prepare.s1: prepare <- prepare.s0",
        "    standardize columns=[a]",
    ]
    assert prepare_lines(fuse_frames(before)) == [
        "prepare.1: prepare <- snapshot, split",
        "    s0: log1p columns=[b]",
        "    s1: standardize columns=[a]",
    ]


def test_must_not_fire_without_steps(program_of):
    program = program_of()
    assert fuse_frames(program) is program
