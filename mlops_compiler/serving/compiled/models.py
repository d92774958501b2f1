"""A fitted model as a function of one row: sums of Python numbers in the order in which numpy adds up those of many.

Where the model has no such form it is asked as it is, with a matrix of one row. Exponentials and logarithms are numpy's
own, whose last bits are not those of the C library.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import singledispatch
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlops_compiler.diagnostics import DataError
from mlops_compiler.models.adapters.answers import ScoringModel, linked, sigmoid
from mlops_compiler.models.adapters.boosted import BoostedTrees
from mlops_compiler.models.adapters.forest import FittedForest
from mlops_compiler.models.adapters.linear import FittedLinear
from mlops_compiler.models.adapters.logistic import FittedLogistic
from mlops_compiler.models.adapters.net import FittedNet
from mlops_compiler.models.calibration import calibrated
from mlops_compiler.models.composed import Calibrated, Ensemble
from mlops_compiler.models.indicators import BESIDE, WithIndicators
from mlops_compiler.serving.compiled.signals import Beyond, Uncompiled
from mlops_compiler.serving.compiled.trees import walk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.adapters.net import Layer
    from mlops_compiler.models.kind import FittedModel

Features: TypeAlias = list[float]
Score: TypeAlias = "Callable[[Features], Sequence[float]]"
"""From the features of a row, NaN where one is missing, to what `FittedModel.predict` gives of it."""
_STEEP = 700.0
"""Beyond such log-odds an exponential may overflow, which numpy is told to pass over."""


def compile_model(model: FittedModel) -> tuple[Score, bool]:
    """Compile a model; says as well whether it has a form of its own."""
    try:
        return score_of(model), True
    except Uncompiled:
        return _as_it_is(model), False


def _as_it_is(model: FittedModel) -> Score:
    def score(features: Features) -> Sequence[float]:
        try:
            answer: list[float] = model.predict(np.array([features]))[0].tolist()
        except DataError as error:
            raise Beyond(str(error)) from error
        return answer

    return score


@singledispatch
def score_of(model: FittedModel) -> Score:
    """Say how a model scores one row.

    Raises:
        Uncompiled: It has no compiled form.
    """
    raise Uncompiled(type(model).__name__)


@score_of.register(FittedLogistic)
@score_of.register(FittedLinear)
def _(model: FittedLogistic | FittedLinear) -> Score:
    weights = [column.tolist() for column in model.weights.T]
    columns = tuple(zip(model.intercept.tolist(), weights, strict=True))
    answer = _linked(model.task)

    def score(features: Features) -> Sequence[float]:
        margins = []
        for bias, of_column in columns:
            total = bias
            for value, weight in zip(features, of_column, strict=True):
                total += value * weight
            margins.append(total)
        return answer(margins)

    return _checked(model, score)


@score_of.register(FittedForest)
def _(model: FittedForest) -> Score:
    walk, count = walk_of(model.trees, 0.0), model.trees.count

    def score(features: Features) -> Sequence[float]:
        mean = walk(_rounded(features)) / count
        return (1.0 - mean, mean) if model.task == "binary_classification" else (mean,)

    return _checked(model, score)


@score_of.register(BoostedTrees)
def _(model: BoostedTrees) -> Score:
    form = model.form()
    walks = [walk_of(trees, first) for trees, first in zip(form.trees, form.first.tolist(), strict=True)]
    answer, rounds = _exponential if model.log else _linked(model.task), form.rounds
    known = [(column, count) for column, count in enumerate(form.known) if count]

    def score(features: Features) -> Sequence[float]:
        asked = _rounded(features) if rounds else features
        for column, count in known:
            if asked[column] >= count:  # as `unknown_as_missing`
                asked = [*asked[:column], math.nan, *asked[column + 1 :]]
        return answer([walk(asked) for walk in walks])

    return _checked(model, score)


@score_of.register(FittedNet)
def _(model: FittedNet) -> Score:
    *hidden, last = [_layer(layer) for layer in model.layers]
    fill, answer, task = model.inputs.fill, _linked(model.task), model.task

    def score(features: Features) -> Sequence[float]:
        values = fill(np.array([features]))[0]
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in hidden:
                values = np.maximum(layer(values), 0.0)
            margins = last(values)
        return answer(margins.tolist()) if task == "binary_classification" else linked(task, margins[None])[0].tolist()

    return _checked(model, score)


def _layer(layer: Layer) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Add up an affine map, one input after the other: the first axis of a matrix is added in its order."""
    weights, size = layer.weights, (len(layer.weights) + 1, len(layer.bias))

    def apply(values: NDArray[np.float64]) -> NDArray[np.float64]:
        terms = np.empty(size)  # of each call its own: threads may score at once
        terms[0] = layer.bias
        np.multiply(values[:, None], weights, out=terms[1:])
        # Of a single column `reduce` would add pairwise.
        found = np.add.reduce(terms, axis=0) if terms.shape[1] > 1 else np.add.accumulate(terms, axis=0)[-1]
        total: NDArray[np.float64] = found
        return total

    return apply


@score_of.register(WithIndicators)
def _(model: WithIndicators) -> Score:
    score, compiled = compile_model(model.model)
    if not compiled:
        raise Uncompiled("the model with indicators")
    spread = model.spread

    def widened(features: Features) -> Sequence[float]:
        wider: list[float] = []
        for value, size in zip(features, spread, strict=True):
            if size:
                wider += [0.0] * (size + BESIDE)
                wider[(int(value) if 0 <= value <= size else size + 1) - size - BESIDE] = 1.0
            else:
                wider.append(value)
        return score(wider)

    return widened


@score_of.register(Calibrated)
def _(model: Calibrated) -> Score:
    score, compiled = compile_model(model.model)
    calibration = model.calibration
    if not compiled or len(calibration["curves"]) > 1:
        raise Uncompiled("several curves")
    curve = _isotonic(calibration["curves"][0]) if calibration["method"] == "isotonic" else None

    def calibrate(features: Features) -> Sequence[float]:
        found = score(features)[1]
        positive = curve(found) if curve else float(calibrated(calibration, np.array([found]))[0])
        return (1.0 - positive, positive)

    return calibrate


def _isotonic(curve: dict[str, list[float]]) -> Callable[[float], float]:
    x, y = curve["x"], curve["y"]
    if len(x) == 1:
        return lambda _: y[0]

    def apply(probability: float) -> float:
        inside = min(max(probability, x[0]), x[-1])
        after = min(max(bisect_left(x, inside), 1), len(x) - 1)
        share = (inside - x[after - 1]) / (x[after] - x[after - 1])
        return y[after - 1] + share * (y[after] - y[after - 1])

    return apply


@score_of.register(Ensemble)
def _(model: Ensemble) -> Score:
    members = [(weight, *compile_model(member)) for weight, member in model.members]
    if not any(compiled for _, _, compiled in members):
        raise Uncompiled("no member")
    (first, leads, _), *others = members

    def score(features: Features) -> Sequence[float]:
        total = [first * part for part in leads(features)]
        for weight, member, _ in others:
            total = [so_far + weight * part for so_far, part in zip(total, member(features), strict=True)]
        return total

    return score


def _checked(model: ScoringModel, score: Score) -> Score:
    """Leave rows to the batch path that the model may refuse, and answers that are no numbers."""
    takes_missing, width = model.accepts_missing, model.features

    def check(features: Features) -> Sequence[float]:
        # A sum is finite only where all of its terms are; one that overflows is looked at more closely.
        if not math.isfinite(sum(features)):
            refused = math.isinf if takes_missing else lambda value: not math.isfinite(value)
            if any(map(refused, features)):
                raise Beyond("a missing or infinite feature")
        if len(features) != width:
            raise Beyond("another number of features")
        answer = score(features)
        if not all(map(math.isfinite, answer)):
            raise Beyond("an answer that is no number")
        return answer

    return check


def _linked(task: Task) -> Callable[[list[float]], Sequence[float]]:
    """Give what turns margins into an answer."""
    if task == "regression":
        return lambda margins: margins
    if task == "binary_classification":
        return _odds
    return lambda margins: linked(task, np.array([margins]))[0].tolist()


def _exponential(margins: list[float]) -> Sequence[float]:
    (margin,) = margins
    return (float(np.exp(margin)) if margin < _STEEP else math.inf,)  # which the batch path looks at


def _odds(margins: list[float]) -> Sequence[float]:
    (margin,) = margins
    if not -_STEEP < margin < _STEEP:
        probability = float(sigmoid(np.array([margin]))[0])
    else:
        probability = 1.0 / (1.0 + float(np.exp(-margin)))
    return (1.0 - probability, probability)


def _rounded(features: Features) -> Features:
    """Round as trees do that were grown on float32; what is beyond its range is beyond every threshold."""
    with np.errstate(over="ignore"):
        rounded: Features = np.array(features, dtype=np.float32).tolist()
    return rounded
