"""A wrong parameter is one sentence about the recipe, whether it is a value or a domain."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from mlops_compiler.ir.domain import Choice, IntLogUniform, LogUniform, Uniform
from mlops_compiler.models.registry import BUILTIN, MODELS


def parse(kind, **values):
    return MODELS[kind].parameters.model_validate(values)


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        ("logistic_regression", "C", 2, 2.0),
        ("logistic_regression", "C", {"log_uniform": [0.001, 10]}, LogUniform(low=0.001, high=10)),
        ("logistic_regression", "C", {"choice": [1, 10]}, Choice(values=(1.0, 10.0))),
        ("logistic_regression", "C", LogUniform(low=1, high=2), LogUniform(low=1, high=2)),
        (
            "logistic_regression",
            "class_weight",
            {"choice": [None, "balanced"]},
            Choice(values=(None, "balanced")),
        ),
        ("random_forest", "max_features", "sqrt", "sqrt"),
        ("random_forest", "max_features", {"uniform": [0.1, 1]}, Uniform(low=0.1, high=1)),
        ("random_forest", "max_depth", {"choice": [None, 8]}, Choice(values=(None, 8))),
        (
            "hist_gradient_boosting",
            "max_leaf_nodes",
            {"int_log_uniform": [4, 64]},
            IntLogUniform(low=4, high=64),
        ),
        ("hist_gradient_boosting", "early_stopping", False, False),
    ],
)
def test_values_and_domains(kind, name, value, expected):
    assert getattr(parse(kind, **{name: value}), name) == expected


@pytest.mark.parametrize(
    ("kind", "name", "value", "sentence"),
    [
        ("logistic_regression", "C", 0, "it should be greater than 0; not 0"),
        ("logistic_regression", "C", "big", "it should be a valid number; not 'big'"),
        ("logistic_regression", "C", True, "it should be a valid number; not True"),
        ("logistic_regression", "C", float("nan"), "it should be less than or equal to 10000000000; not nan"),
        ("logistic_regression", "C", {"choice": [1, -1]}, "it should be greater than 0; not -1"),
        ("logistic_regression", "C", {"uniform": [0, 1]}, "it should be greater than 0; not 0.0"),
        (
            "logistic_regression",
            "C",
            {"log_uniform": [1, 1e11]},
            "it should be less than or equal to 10000000000",
        ),
        ("logistic_regression", "C", {"low": 1, "high": 2}, "it should be a valid number; not {'low'"),
        ("logistic_regression", "C", {"log_uniform": [2, 1]}, "needs low <= high"),
        ("logistic_regression", "class_weight", "balance", "it should be 'balanced', or null; not 'balance'"),
        ("random_forest", "max_features", 1.5, "'sqrt' or 'log2', or less than or equal to 1; not 1.5"),
        ("random_forest", "min_samples_leaf", {"uniform": [1, 5]}, "it should be a valid integer; not 1.0"),
        ("random_forest", "n_estimators", 10.0, "it should be a valid integer; not 10.0"),
        (
            "hist_gradient_boosting",
            "max_leaf_nodes",
            {"int_uniform": [1, 9]},
            "greater than or equal to 2; not 1",
        ),
        ("hist_gradient_boosting", "early_stopping", "yes", "it should be a valid boolean; not 'yes'"),
        ("torch_mlp", "dropout", 1.0, "it should be less than 1; not 1.0"),
    ],
)
def test_one_sentence_for_each_wrong_value(kind, name, value, sentence):
    with pytest.raises(ValidationError) as caught:
        parse(kind, **{name: value})
    (found,) = caught.value.errors()
    assert found["loc"] == (name,)
    assert sentence in found["msg"]


@pytest.mark.parametrize("kind", list(MODELS))
def test_an_unknown_parameter_is_refused(kind):
    with pytest.raises(ValidationError, match="Extra inputs"):
        parse(kind, depth=3)


def test_a_simpler_kind_ranks_lower():
    assert sorted(BUILTIN, key=lambda kind: kind.complexity) == list(BUILTIN)


def test_the_json_schema_offers_values_and_domains():
    schema = TypeAdapter(MODELS["logistic_regression"].parameters).json_schema()["properties"]["C"]
    value, domain = schema["anyOf"]
    assert value == {"type": "number", "exclusiveMinimum": 0, "maximum": 10000000000.0}
    assert "log_uniform" in domain["propertyNames"]["enum"]
