"""Select: choose one trial by the rule of the recipe, and the threshold that its decisions are worth most at."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.eligible import excluded, refuse_none_left
from mlops_compiler.backends.stages.library import Library
from mlops_compiler.evaluation.threshold import best_threshold
from mlops_compiler.ir.ops.search import Select
from mlops_compiler.models.composed import ENSEMBLE
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context

DEFAULT_THRESHOLD = 0.5
_OF_TRIAL = ("trial", "model", "kind", "parameters", "preparation", "point", "mean", "std")


def select_trial(context: Context) -> Outcome:
    """Run the stage."""
    op = context.op(Select)
    board = context.read_json("search", "leaderboard")
    library = Library(op=op, board=board, store=context.store)
    rows = library.rows()
    why_not = excluded(op, rows)
    refuse_none_left(rows, why_not, context.task.stage.nodes[-1].span)
    made = library.ensemble([row for row in rows if row["trial"] not in why_not])
    ranked = board | {"trials": _ranked(board, rows, made), "folds": op.k or board["folds"]}
    chosen, reason = choose(ranked, op.rule, frozenset(why_not))
    threshold, origin = _threshold(context, op, library, chosen)
    selection = {
        **{name: chosen[name] for name in _OF_TRIAL},
        **_composition(library, chosen),
        "validation": {name: {"mean": mean, "std": chosen["spread"][name]} for name, mean in chosen["metrics"].items()},
        "rule": op.rule,
        "threshold": threshold,
        "threshold_from": origin,
        "reason": reason,
        "excluded": {str(trial): why for trial, why in why_not.items()},
        "rescored": {str(row["trial"]): _told(row) for row in rows if "calibrated" in row},
    }
    return Outcome(outputs={"selection": context.put_json(selection)}, summary=_short(selection))


def _ranked(board: dict[str, Any], rows: list[dict[str, Any]], made: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Put an ensemble among the trials, below those that are as good."""
    if made is None:
        return rows
    sign = 1 if board["greater_is_better"] else -1
    better = [row for row in rows if sign * row["mean"] >= sign * made["mean"]]
    return [*better, made, *(row for row in rows if row not in better)]


def _composition(library: Library, chosen: dict[str, Any]) -> dict[str, Any]:
    """Say what the chosen model is made of: how it is calibrated, or its members."""
    if chosen["kind"] != ENSEMBLE:
        return {"calibration": library.calibration(chosen), "members": []}
    total = sum(item["count"] for item in chosen["members"])
    members = [
        {
            **{name: item["row"][name] for name in ("trial", "model", "kind", "parameters", "mean")},
            "weight": item["count"] / total,
            "calibration": library.calibration(item["row"]),
        }
        for item in chosen["members"]
    ]
    return {"calibration": None, "members": members}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """What calibration made of a trial's scores."""
    return {name: row[name] for name in ("mean", "std", "calibrated", "uncalibrated")}


def _short(selection: dict[str, Any]) -> dict[str, Any]:
    """Leave the curves of a calibration out of what is shown."""
    members = [{**item, "calibration": _method(item)} for item in selection["members"]]
    return {**selection, "calibration": _method(selection), "members": members}


def _method(item: dict[str, Any]) -> str | None:
    return None if item["calibration"] is None else str(item["calibration"]["method"])


def _threshold(context: Context, op: Select, library: Library, chosen: dict[str, Any]) -> tuple[float | None, str]:
    """Find the threshold of the decisions, and what it comes from; None where there is none.

    It is taken from the rows that the folds held out: those that a model learned from score otherwise.
    """
    if op.contamination is not None:
        return _of_scores(context, op, chosen)
    if op.value is None:
        return DEFAULT_THRESHOLD if op.task == "binary_classification" else None, "default"
    labels, answers, weights = library.answers(chosen).joined()
    return best_threshold(labels.astype(int), answers, op.value, weights), "value"


def _of_scores(context: Context, op: Select, chosen: dict[str, Any]) -> tuple[float, str]:
    """Find the threshold that flags a share of the rows, or that is worth most."""
    held = pl.concat([pl.read_parquet(io.BytesIO(context.store.objects.get(item))) for item in chosen["predictions"]])
    scores = held["score"].to_numpy()
    if op.value is None:
        return float(np.quantile(scores, 1 - (op.contamination or 0.0))), "contamination"
    return best_threshold(held["label"].cast(pl.Int64).to_numpy(), scores, op.value), "value"


def choose(board: dict[str, Any], rule: str, without: frozenset[int] = frozenset()) -> tuple[dict[str, Any], str]:
    """Choose among the complete trials but those that may not be chosen, and an ensemble of them where there is one.

    ``one_standard_error`` (Breiman et al., Classification and Regression Trees, 1984, 3.4.3) takes the
    simplest kind of model whose mean is within one standard error of the best mean; among equals, the
    best. Nothing is less simple than an ensemble.

    Returns:
        The row of the leaderboard, and why it.
    """
    complete = [row for row in board["trials"] if row["status"] == "complete" and row["trial"] not in without]
    left = f"; {len(without)} may not be chosen" if without else ""
    best, trials = complete[0], sum(row["kind"] != ENSEMBLE for row in complete)
    if rule == "best" or best["std"] is None:
        return best, f"{_best(best, complete)}{board['metric']} of {trials} complete trials{left}"
    margin = best["std"] / board["folds"] ** 0.5
    near = [row for row in complete if abs(row["mean"] - best["mean"]) <= margin]
    simplest = min(near, key=_complexity)
    if simplest is best:
        return best, f"{_best(best, complete).rstrip()}, and no simpler model within one standard error of it{left}"
    gap = abs(simplest["mean"] - best["mean"])
    rival = "an ensemble" if best["kind"] == ENSEMBLE else f"{best['model']} (trial {best['trial']})"
    return simplest, f"simpler than {rival}, and only {gap:.4f} behind it; one standard error is {margin:.4f}{left}"


def _best(best: dict[str, Any], complete: list[dict[str, Any]]) -> str:
    if best["kind"] != ENSEMBLE:
        return "the best mean "
    single = next(row for row in complete if row["kind"] != ENSEMBLE)
    count = len(best["members"])
    return (
        f"an ensemble of {count} trials, {best['mean']:.4f} and {single['mean']:.4f} the best of them: the best mean "
    )


def _complexity(row: dict[str, Any]) -> float:
    return math.inf if row["kind"] == ENSEMBLE else MODELS[row["kind"]].complexity
