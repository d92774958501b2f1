"""Names steps and fits them as the stage `prepare` does."""

from __future__ import annotations

import pytest

from mlops_compiler.ir.ops.preparation import NamedStep
from mlops_compiler.ir.schema import Column, Schema
from mlops_compiler.tables.fusion import group_steps
from mlops_compiler.tables.preparation import fit
from mlops_compiler.tables.steps import LABEL


@pytest.fixture(scope="session")
def named():
    """Give a function that names steps `s0`, `s1`, ..."""
    return lambda *steps: tuple(NamedStep(name=f"s{index}", step=step) for index, step in enumerate(steps))


@pytest.fixture(scope="session")
def fitted(named):
    """Give a function that fits steps on rows and returns the preparation."""
    return lambda rows, *steps: fit(group_steps(named(*steps)), rows)[0]


@pytest.fixture(scope="session")
def schema_of():
    """Give a function that describes a frame, all of whose columns are features but for a label."""
    return lambda frame: Schema(
        tuple(Column(name=name, dtype=dtype, origins=(name,)) for name, dtype in frame.schema.items() if name != LABEL)
    )
