"""Steps that learn nothing run once for all folds, unless they need what a fold learned."""

from __future__ import annotations

import pytest

from mlops_compiler.ir.ops.preparation import Matrix, Prepare
from mlops_compiler.ir.ops.prepare import Derive, Filter, Impute, Log1p, OneHot, Standardize
from mlops_compiler.passes.fuse_frames import fuse_frames
from mlops_compiler.passes.hoist_invariants import hoist_invariants
from mlops_compiler.passes.verify import verify

FILL = Impute(columns=("a",), value=0)
MEDIAN = Impute(columns=("b",), statistic="median")
SCALE = Standardize(columns=("a",))
LOG = Log1p(columns=("b",))
RATIO = Derive(expressions=(("p", "a / b"),))
ENCODE = OneHot(columns=("t",), max_levels=9, rare="group")

ONCE = {
    "all of them": ([FILL, LOG, RATIO], ["s0", "s1", "s2"], []),
    "those before what learns": ([FILL, RATIO, SCALE], ["s0", "s1"], ["s2"]),
    "one behind what learns from other columns": ([SCALE, LOG, ENCODE], ["s1"], ["s0", "s2"]),
    "but none that needs what is learned": ([MEDIAN, LOG, FILL], ["s2"], ["s0", "s1"]),
}

LEFT = {
    "all learn": [MEDIAN, SCALE, ENCODE],
    "a filter before what learns": [Filter(where="a > 1", max_loss=1.0), SCALE],
    "a filter behind what learns": [SCALE, Filter(where="b > 1", max_loss=1.0)],
    "a step behind such a filter": [SCALE, Filter(where="b > 1", max_loss=1.0), LOG],
    "it reads what is learned": [SCALE, RATIO],
    "it sets what is learned from": [SCALE, FILL],
}


@pytest.mark.parametrize("case", ONCE.values(), ids=ONCE)
def test_runs_once(program_of, case):
    steps, once, each = case
    before = program_of(*steps)
    after = hoist_invariants(before)
    verify(after)
    found = [(node.name.removeprefix("prepare."), op.scope) for node, op in after.of(Prepare)]
    assert found == [*((name, "table") for name in once), *((name, "fold") for name in each)]
    assert after.the(Matrix)[1] == before.the(Matrix)[1]
    assert hoist_invariants(after) == after


@pytest.mark.parametrize("steps", LEFT.values(), ids=LEFT)
def test_must_not_fire_where(program_of, steps):
    program = program_of(*steps)
    assert hoist_invariants(program) is program


def test_it_is_printed(program_of, prepare_lines):
    program = hoist_invariants(program_of(SCALE, LOG))
    assert prepare_lines(program) == [
        "prepare.s1: prepare <- snapshot, split",
        "    log1p columns=[b]  (once for all folds)",
        "prepare.s0: prepare <- prepare.s1",
        "    standardize columns=[a]",
    ]
    assert prepare_lines(fuse_frames(program)) == [
        "prepare.1: prepare <- snapshot, split",
        "    s1: log1p columns=[b]  (once for all folds)",
        "prepare.2: prepare <- prepare.1",
        "    s0: standardize columns=[a]",
    ]
