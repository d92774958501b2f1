"""Select: choose one trial by the rule of the recipe, and the threshold that its decisions are worth most at."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.eligible import excluded, refuse_none_left
from mlops_compiler.evaluation.threshold import best_threshold
from mlops_compiler.ir.ops.lifecycle import Select
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context

DEFAULT_THRESHOLD = 0.5
_OF_TRIAL = ("trial", "model", "kind", "parameters", "preparation", "point", "mean", "std")


def select_trial(context: Context) -> Outcome:
    """Run the stage."""
    op = context.op(Select)
    board = context.read_json("search", "leaderboard")
    complete = [row for row in board["trials"] if row["status"] == "complete"]
    why_not = excluded(op, complete)
    refuse_none_left(complete, why_not, context.task.stage.nodes[-1].span)
    chosen, reason = choose(board | {"folds": op.k or board["folds"]}, op.rule, frozenset(why_not))
    threshold = DEFAULT_THRESHOLD if op.task == "binary_classification" else None
    if op.value is not None:
        held = pl.concat(
            [pl.read_parquet(io.BytesIO(context.store.objects.get(item))) for item in chosen["predictions"]]
        )
        threshold = best_threshold(held["label"].cast(pl.Int64).to_numpy(), held["probability"].to_numpy(), op.value)
    selection = {
        **{name: chosen[name] for name in _OF_TRIAL},
        "validation": {name: {"mean": mean, "std": chosen["spread"][name]} for name, mean in chosen["metrics"].items()},
        "rule": op.rule,
        "threshold": threshold,
        "threshold_from": "default" if op.value is None else "value",
        "reason": reason,
        "excluded": {str(trial): why for trial, why in why_not.items()},
    }
    return Outcome(outputs={"selection": context.put_json(selection)}, summary=selection)


def choose(board: dict[str, Any], rule: str, without: frozenset[int] = frozenset()) -> tuple[dict[str, Any], str]:
    """Choose among the complete trials but those that may not be chosen.

    ``one_standard_error`` (Breiman et al., Classification and Regression Trees, 1984, 3.4.3) takes the
    simplest kind of model whose mean is within one standard error of the best mean; among equals, the
    best.

    Returns:
        The row of the leaderboard, and why it.
    """
    complete = [row for row in board["trials"] if row["status"] == "complete" and row["trial"] not in without]
    left = f"; {len(without)} may not be chosen" if without else ""
    best = complete[0]
    if rule == "best" or best["std"] is None:
        return best, f"the best mean {board['metric']} of {len(complete)} complete trials{left}"
    margin = best["std"] / board["folds"] ** 0.5
    near = [row for row in complete if abs(row["mean"] - best["mean"]) <= margin]
    simplest = min(near, key=lambda row: MODELS[row["kind"]].complexity)
    if simplest is best:
        return best, f"the best mean, and no simpler model within one standard error of it{left}"
    gap = abs(simplest["mean"] - best["mean"])
    rival = f"{best['model']} (trial {best['trial']})"
    return simplest, f"simpler than {rival}, and only {gap:.4f} behind it; one standard error is {margin:.4f}{left}"
