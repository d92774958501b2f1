"""A forecast is a regression of a value that lies ahead: what the objective says of it becomes looks of `data.history`.

The value `horizon` rows ahead in each series is the target, known only after the outcome; the value one season before
that one is what a seasonal naive forecast says, and a feature as any other. Rows without either are left out at intake,
and what models learn from ends a horizon before the rows that judge them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.recipe.history import Lag
from mlops_compiler.recipe.objective import Ahead, Forecasting
from mlops_compiler.recipe.steps.base import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.recipe.recipe import Recipe

_SETTINGS = ("metric", "report", "accept")


def looking_ahead(recipe: Recipe) -> Recipe:
    """Turn the objective of a forecast into that of a regression, and its looks into those of the data.

    Args:
        recipe: Valid; of any task.
    """
    objective = recipe.objective
    if not isinstance(objective, Forecasting):
        return recipe
    lead, naive = f"{objective.target}_lead_{objective.horizon}", objective.naive
    looks = [("ahead", lead, -objective.horizon)]
    looks += [("season", naive, objective.naive_lag)] if objective.naive_lag else []
    history, made = dict(recipe.data.history), _made(recipe)
    for name, column, periods in looks:
        if column not in made:
            history[_free(name, history)] = Lag(op="lag", columns=objective.target, periods=(periods,), by=objective.by)
    known = " AND ".join(f'"{name}" IS NOT NULL' for name in dict.fromkeys((lead, naive)))
    where = known if recipe.data.where is None else f"({recipe.data.where}) AND {known}"
    validation = recipe.validate_
    ordered = {
        part: getattr(validation, part).model_copy(update={"kind": "time_ordered"}) for part in ("holdout", "folds")
    }
    ahead = Ahead(
        task="regression",
        target=f"{objective.target}_in_{objective.horizon}",
        target_is=f'"{lead}"',
        naive=naive,
        horizon=objective.horizon,
        season=objective.season,
        **{name: getattr(objective, name) for name in _SETTINGS},
    )
    data = recipe.data.model_copy(update={"history": history, "where": where})
    return recipe.model_copy(
        update={"objective": ahead, "data": data, "validate_": validation.model_copy(update=ordered)}
    )


def _made(recipe: Recipe) -> set[str]:
    """Name the columns that the recipe's own lags make."""
    lags = [past for past in recipe.data.history.values() if isinstance(past, Lag)]
    return {
        f"{column}_{'lag' if periods > 0 else 'lead'}_{abs(periods)}"
        for past in lags
        for column in names_of(past.columns)
        for periods in past.periods
    }


def _free(name: str, taken: Mapping[str, object]) -> str:
    """Find a name that the recipe gave to none of its looks."""
    while name in taken:
        name += "_"
    return name
