"""Search: run the race on an engine, in this process or on Ray Tune; both make the same trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mlops_compiler.backends.search.importance import importance_of
from mlops_compiler.backends.search.session import Session
from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.folds import make_folds
from mlops_compiler.diagnostics import Diagnostic, EngineError, Note
from mlops_compiler.ir.ops.search import Search

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import Folds

NOTES = 20
"""Most notes that the stage keeps; the events of the run have all."""


class TrialEngine(Protocol):
    """Runs the trials of a session until it has no more."""

    def __call__(self, session: Session, folds: Folds, context: Context) -> None:
        """Ask the session for trials, run their folds, report each; return when the search is over."""


def search_models(context: Context, engine: TrialEngine, *, judged: bool = True) -> Outcome:
    """Run the stage.

    Args:
        context: The stage.
        engine: Runs the trials.
        judged: Whether to find out which hyperparameters made the difference.

    Raises:
        DataError: Values are missing that a candidate cannot do without.
        EngineError: Every trial of every model but the baseline failed.
    """
    search = context.op(Search)
    session = Session(search, context.inputs["split"].summary["folds"], context)
    folds = _folds(context, search)
    engine(session, folds, context)
    ended, spent = session.ended(), session.spent()
    context.event("search_ended", {**ended, **spent})
    board = session.leaderboard()
    _something_came_of_it(board["trials"])
    counts = {
        status: sum(row["status"] == status for row in board["trials"]) for status in ("complete", "stopped", "failed")
    }
    summary = {
        "trials": len(board["trials"]),
        **counts,
        "seconds": session.seconds(),
        "spent": spent,
        "ended": ended,
        "warm_from": list(search.warm_from),
        "warm": [start.to_json() for start in search.warm],
        "best": board["trials"][0]["mean"],
        "notes": session.notes[:NOTES],
    }
    outputs = {"leaderboard": context.put_json(board), "histories": context.put_json(session.histories())}
    if judged:
        outputs["importance"] = context.put_json(importance_of(board))
    return Outcome(outputs=outputs, summary=summary)


def _folds(context: Context, search: Search) -> Folds:
    if not any(item.preparation for item in search.candidates):
        return make_folds(context, search.candidates)
    from mlops_compiler.backends.stages.points import point_folds

    return point_folds(context, context.read_json("prepare", "preparations"))


def _something_came_of_it(trials: list[dict[str, object]]) -> None:
    if any(row["status"] == "complete" for row in trials):
        return
    errors = dict.fromkeys(f"model `{row['model']}`: {row['error']}" for row in trials if row["error"])
    raise EngineError(
        [
            Diagnostic(
                code="search-failed",
                headline=f"none of {len(trials)} trials came to an end",
                notes=tuple(Note(text=error) for error in list(errors)[:5]),
            )
        ]
    )
