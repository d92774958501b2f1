"""What every kind promises, of those that ship with the compiler; plugins inherit the same laws."""

from __future__ import annotations

import pytest

from mlops_compiler.models.registry import BUILTIN
from mlops_compiler.testing.kinds import KindLaws
from mlops_compiler.testing.subjects import subjects
from tests.models.conftest import SMALL

RANDOM = ("random_forest", "extra_trees", "hist_gradient_boosting", "torch_mlp")


class TestLaws(KindLaws):
    subjects = [item for kind in BUILTIN for item in subjects(kind, **SMALL.get(kind.name, {}))]  # noqa: RUF012


@pytest.mark.parametrize("kind", RANDOM)
def test_the_seed_is_what_makes_it_random(kind, zoo):
    assert zoo.fit(kind, seed=2).dump() != zoo.fitted(kind).dump()
