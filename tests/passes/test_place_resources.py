"""`gpu: auto` is decided at compile time where the recipe says what the engine has."""

from __future__ import annotations

import pytest

from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.passes.place_resources import place_resources
from mlops_compiler.passes.verify import verify


def program_with(*overrides):
    (compiled,) = launch(["recipe=churn", *overrides], compile_recipe)
    return compiled.program


def gpus(program):
    return {item.name: item.gpu for item in program.the(Search)[1].candidates}


def test_auto_is_none_where_there_is_none():
    before = program_with("cluster.gpus=0", "models.net.resources={gpu: auto, accelerator: H100}")
    after = place_resources(before)
    verify(after)
    assert gpus(before)["net"] == "auto"
    assert gpus(after) == {**gpus(before), "net": 0.0}
    assert place_resources(after) == after


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param((), id="the machine is asked when it runs"),
        pytest.param(("cluster.gpus=1",), id="measured memory decides how many share it"),
        pytest.param(("cluster.gpus=2", "models.net.resources.gpu=1"), id="the recipe says it"),
        pytest.param(("cluster.gpus=2", "~models.net"), id="no model wants one"),
    ],
)
def test_must_not_fire_where(overrides):
    program = program_with(*overrides)
    assert place_resources(program) is program
