"""A domain that is written over another one replaces it, from a recipe that builds on another and from the command line."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from mlops_compiler.frontend.domains import settle_domains
from mlops_compiler.frontend.hydra_app import launch

LOG, CHOICE = {"log_uniform": [0.1, 1]}, {"choice": [1, 2]}


def settled(*layers):
    config = OmegaConf.merge(*({"models": {"m": {"C": layer, "kind": "k"}}} for layer in layers))
    settle_domains(config, [(("models", "m", "C"), layer) for layer in layers])
    return OmegaConf.to_container(config)["models"]["m"]


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        pytest.param([LOG], LOG, id="one"),
        pytest.param([LOG, CHOICE], CHOICE, id="the last of two"),
        pytest.param([LOG, CHOICE, {"log_uniform": [3, 4]}], {"log_uniform": [3, 4]}, id="and back"),
        pytest.param([LOG | CHOICE], LOG | CHOICE, id="two in one place stay, for the message"),
    ],
)
def test_the_last_domain_is_kept(layers, kept):
    assert settled(*layers) == {"C": kept, "kind": "k"}


STEP, OTHER = {"op": "log1p", "columns": "x"}, {"choice": [None, {"op": "log1p", "columns": "x"}]}


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        pytest.param([STEP, OTHER], OTHER, id="a choice of steps over a step"),
        pytest.param([OTHER, STEP], STEP, id="a step over a choice of steps"),
        pytest.param([STEP, OTHER, STEP, {"columns": "y"}], STEP | {"columns": "y"}, id="and what is merged into it"),
        pytest.param([STEP | OTHER], STEP | OTHER, id="both in one place stay, for the message"),
        pytest.param(
            [{"choice": "a / b"}, {"more": "c"}], {"choice": "a / b", "more": "c"}, id="columns of such names"
        ),
    ],
)
def test_a_step_and_a_choice_of_steps_replace_each_other(layers, kept):
    after = {"op": "drop", "columns": "z"}
    config = OmegaConf.merge(*({"prepare": {"tails": layer, "after": after}} for layer in layers))
    settle_domains(config, [(("prepare", "tails"), layer) for layer in layers])
    assert OmegaConf.to_container(config) == {"prepare": {"tails": kept, "after": after}}
    assert list(config.prepare) == ["tails", "after"]


def test_a_layer_may_be_a_whole_recipe_or_a_section():
    config = OmegaConf.create({"models": {"m": {"C": LOG | CHOICE}}})
    settle_domains(config, [((), {"models": {"m": {"C": LOG}}}), (("models",), {"m": {"C": CHOICE}})])
    assert OmegaConf.to_container(config) == {"models": {"m": {"C": CHOICE}}}


def test_a_recipe_that_builds_on_another_keeps_its_source_and_replaces_its_domain(workspace, tmp_path_factory):
    base = tmp_path_factory.mktemp("elsewhere") / "recipes" / "base.yaml"
    base.parent.mkdir()
    model = "models: {m: {kind: logistic_regression, C: {log_uniform: [0.1, 1]}}}\n"
    base.write_text(workspace.recipe(model).read_text())
    workspace.write("recipes/child.yaml", "defaults: [base, _self_]\nmodels: {m: {C: {choice: [1, 2]}}}\n")
    (composed,) = launch(["recipe=child"], lambda it: it, recipe_dirs=[base.parent])
    assert composed.config["models"]["m"]["C"] == {"choice": [1, 2]}
    assert composed.root.resolve() == base.parent
    assert composed.provenance.value_span(("models", "m", "C", "choice")).source == "recipes/child.yaml"
    (composed,) = launch(["recipe=child", "data.source.path=x.csv"], lambda it: it, recipe_dirs=[base.parent])
    assert composed.root.resolve() == workspace.root / "recipes"
