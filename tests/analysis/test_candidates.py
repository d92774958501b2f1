"""What a model searches: nothing that the values of other parameters put out of reach."""

from __future__ import annotations

import pytest

from mlops_compiler.cli import main
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.search import Search


def searched(*overrides):
    (compiled,) = launch(["recipe=churn", "~models.net", "+models.net.kind=torch_mlp", *overrides], compile_recipe)
    found = {item.name: item for item in compiled.program.the(Search)[1].candidates}
    return set(found["net"].space), dict(found["net"].parameters)


@pytest.mark.parametrize(
    ("encoding", "reached"),
    [("none", set()), ("piecewise_linear", {"bins"}), ("periodic", {"frequencies", "frequency_scale"})],
)
def test_no_parameter_of_another_encoding_is_searched(encoding, reached):
    space, parameters = searched(f"+models.net.numeric_embedding={encoding}")
    assert space & {"bins", "frequencies", "frequency_scale"} == reached
    assert {"hidden", "learning_rate"} <= space
    assert parameters["bins"] == 8 or "bins" in reached


def test_all_are_where_the_encoding_is_open():
    assert {"numeric_embedding", "bins", "frequencies", "frequency_scale"} <= searched()[0]


@pytest.mark.parametrize(("recipe", "searched"), [("churn", False), ("diamonds", True)])
def test_a_loss_of_values_is_searched_where_values_are_predicted(recipe, searched):
    asked = "+models.more={kind: hist_gradient_boosting, loss: {choice: [squared_error, poisson]}}"
    (compiled,) = launch([f"recipe={recipe}", asked], compile_recipe)
    (found,) = (item for item in compiled.program.the(Search)[1].candidates if item.name == "more")
    assert ("loss" in found.space) is searched
    assert searched or dict(found.parameters)["loss"] == "squared_error"


@pytest.mark.parametrize(("recipe", "warned"), [("churn", True), ("diamonds", False)])
def test_a_loss_of_values_is_told_where_nothing_reads_it(recipe, warned, capsys):
    assert main(["check", f"recipe={recipe}", "+models.more={kind: hist_gradient_boosting, loss: poisson}"]) == 0
    said = "".join(capsys.readouterr())
    assert ("`loss` of model `more` is never reached" in said) is warned
