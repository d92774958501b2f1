"""Which hyperparameters made the difference: PED-ANOVA on the trials of each model, with what chance makes of it.

Each model has a study of its own, rebuilt from the leaderboard, so that a parameter is judged among trials that all
have it. PED-ANOVA (Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
Arbitrary Subspaces", IJCAI 2023) compares where the best quarter of the trials lies with where all of them do. At the
10 to 40 trials that a model gets here it named the parameter that mattered more often than fANOVA, in a tenth of the
time (decision 29).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlops_compiler.backends.search.proposals import code, distribution, seed_of
from mlops_compiler.evaluation.comparable import comparable
from mlops_compiler.ir.domain import Domain, parse_domain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FEWEST = 10
"""Trials of a model below which nothing is said."""
RESAMPLED = 20
"""How often the trials are drawn anew, to see how much of an importance is chance."""
_BEST = 0.25
"""The share of the trials that counts as good."""

Rows = list[dict[str, Any]]
Scores = NDArray[np.float64]


def importance_of(board: Mapping[str, Any]) -> dict[str, Any]:
    """Judge the parameters of each model that has any to search.

    A trial that was stopped counts, too: its score is what its folds show beside the same folds of the others.

    Args:
        board: A leaderboard with the ``spaces`` of the models and the ``dimensions`` of the preparation.

    Returns:
        By model ``trials`` (with a score) and ``parameters``: ``name``, ``share`` (they sum to 1), ``spread`` (its
        standard deviation over resampled trials), the greatest share first; ``conditional``: those that not every trial
        has, with the number that do; and ``why_not`` where nothing can be said.
    """
    level, found = comparable(board["trials"]), {}
    for model, space in board["spaces"].items():
        rows = [row for row in board["trials"] if row["model"] == model and row["scores"]]
        columns = [*_parameters(space, rows), *_dimensions(board, rows)]
        if columns:
            sign = 1 if board["greater_is_better"] else -1
            scores = np.array([sign * level[row["trial"]] for row in rows])
            found[model] = _judged(columns, scores, seed_of(0, model))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A parameter with its value in each trial, as Optuna has it; None in a trial that has no such parameter."""

    name: str
    domain: Domain
    values: list[Any]

    @property
    def standing(self) -> int:
        return sum(value is not None for value in self.values)


def _parameters(space: Mapping[str, dict[str, Any]], rows: Rows) -> Iterator[_Column]:
    for name, text in space.items():
        domain: Any = parse_domain(text)
        values = [row["parameters"][name] for row in rows]
        codes = [code(domain, tuple(value) if isinstance(value, list) else value) for value in values]
        yield _Column(name=name, domain=domain, values=codes)


def _dimensions(board: Mapping[str, Any], rows: Rows) -> Iterator[_Column]:
    if any(row["point"] for row in rows):
        for at, item in enumerate(board["dimensions"]):
            domain: Any = parse_domain(item["domain"])
            yield _Column(name=item["name"], domain=domain, values=[row["point"][at] for row in rows])


def _judged(columns: Sequence[_Column], scores: Scores, seed: int) -> dict[str, Any]:
    always = [column for column in columns if column.standing == len(scores)]
    told: dict[str, Any] = {
        "trials": len(scores),
        "parameters": [],
        "conditional": [{"name": item.name, "trials": item.standing} for item in columns if item not in always],
        "why_not": _why_not(always, scores),
    }
    if told["why_not"]:
        return told
    shares, draws = _shares(always, scores), np.random.default_rng(seed)
    again = [_shares(always, scores, draws.integers(0, len(scores), len(scores))) for _ in range(RESAMPLED)]
    made: Rows = [
        {"name": column.name, "share": round(float(share), 4), "spread": round(float(spread), 4)}
        for column, share, spread in zip(always, shares, np.std(again, axis=0, ddof=1), strict=True)
    ]
    return told | {"parameters": sorted(made, key=lambda item: (-item["share"], item["name"]))}


def _why_not(columns: Sequence[_Column], scores: Scores) -> str | None:
    if len(scores) < FEWEST:
        return f"too few trials to tell, {len(scores)} of {FEWEST}"
    if len(columns) == 1:
        return "one parameter alone has no other to be compared with"
    if not columns:
        return "no parameter is in every trial"
    return "every trial scored the same" if float(np.ptp(scores)) == 0 else None


def _shares(columns: Sequence[_Column], scores: Scores, chosen: NDArray[np.intp] | None = None) -> Scores:
    """Rebuild a study of some trials and ask for the importance of each column; shape (columns,), summing to 1."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {str(at): distribution(column.domain) for at, column in enumerate(columns)}
    study = optuna.create_study(direction="maximize")
    for row in range(len(scores)) if chosen is None else chosen:
        params = {str(at): column.values[row] for at, column in enumerate(columns)}
        value = float(scores[row])
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_BEST).evaluate(study)
    raw = np.array([max(0.0, float(found.get(name, 0.0))) for name in distributions])
    total = math.fsum(raw)
    return raw / total if total > 0 else np.full(len(raw), 1 / len(raw))
