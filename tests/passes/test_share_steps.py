"""What an earlier step computed is read from its column, as long as nothing changed it since."""

from __future__ import annotations

import pytest

from mlops_compiler.ir.ops.preparation import Matrix
from mlops_compiler.ir.ops.prepare import Cast, Derive, Filter, Impute, Standardize
from mlops_compiler.passes.share_steps import share_steps
from mlops_compiler.passes.verify import verify

RATIO = Derive(expressions=(("p", "a / b"),))
AGAIN = Derive(expressions=(("q", "a/b"),))
FILL = Impute(columns=("a",), value=0)

AFTER = {
    "an expression written in another way": (
        [RATIO, AGAIN],
        ["derive expressions=[[p, 'a / b']]", "derive expressions=[[q, '\"p\"']]"],
    ),
    "a step that was done": ([FILL, RATIO, FILL], ["impute columns=[a] value=0", "derive expressions=[[p, 'a / b']]"]),
    "a cast that was done": (
        [Cast(columns=("a",), to="float"), Cast(columns=("a",), to="float")],
        ["cast columns=[a] to=float"],
    ),
    "one of two expressions": (
        [RATIO, Derive(expressions=(("q", "a / b"), ("r", "a + b")))],
        ["derive expressions=[[p, 'a / b']]", "derive expressions=[[q, '\"p\"'], [r, 'a + b']]"],
    ),
    "a column computed twice": ([RATIO, RATIO], ["derive expressions=[[p, 'a / b']]"]),
    "behind a filter": (
        [RATIO, Filter(where="a > 1", max_loss=1.0), AGAIN],
        [
            "derive expressions=[[p, 'a / b']]",
            "filter where='a > 1' max_loss=1.0",
            "derive expressions=[[q, '\"p\"']]",
        ],
    ),
}

LEFT = {
    "nothing twice": [RATIO, Derive(expressions=(("q", "b / a"),))],
    "what it reads changed": [RATIO, FILL, AGAIN],
    "the column that holds it changed": [RATIO, Standardize(columns=("p",)), AGAIN],
    "it changes what it reads": [Derive(expressions=(("a", "a + 1"),)), Derive(expressions=(("a", "a + 1"),))],
    "the filled column was made again": [FILL, Derive(expressions=(("a", "a / b"),)), FILL],
    "what is learned is learned again": [Standardize(columns=("a",)), Standardize(columns=("a",))],
    "another value": [FILL, Impute(columns=("a",), value=1)],
    "a column is read as it is": [Derive(expressions=(("p", "a"),)), Derive(expressions=(("q", "a"),))],
}


@pytest.mark.parametrize("case", AFTER.values(), ids=AFTER)
def test_computes_once(program_of, prepare_lines, case):
    steps, wanted = case
    before = program_of(*steps)
    after = share_steps(before)
    verify(after)
    assert [line.strip() for line in prepare_lines(after) if line.startswith(" ")] == wanted
    assert after.the(Matrix)[1] == before.the(Matrix)[1]
    assert share_steps(after) == after


@pytest.mark.parametrize("steps", LEFT.values(), ids=LEFT)
def test_must_not_fire_where(program_of, steps):
    program = program_of(*steps)
    assert share_steps(program) is program
