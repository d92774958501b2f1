"""Report: collect what the stages recorded and write it as one page that people can open anywhere."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.ir.ops.intake import Check
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.plan.stages import PARENTS
from mlops_compiler.report.card import card_of, render_html
from mlops_compiler.report.facts import DataFacts, Origins, ReportFacts
from mlops_compiler.report.leaderboard import as_selected
from mlops_compiler.report.page import render_report
from mlops_compiler.report.search_end import with_facts
from mlops_compiler.store.intakes import intake_of, intakes
from mlops_compiler.store.records import chosen_preparation

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context

_COUNTED = ("joins", "stacks", "references", "likeness", "left_out", "lost")
"""What intake counts beside its rows; a record of an earlier version may lack some."""
_TAKEN = ("new", "late", "changed", "superseded", "repeated", "refused", "rows")
LIBRARIES = ("mlops-compile", "polars", "pandera", "ray", "scikit-learn", "torch", "optuna", "numpy")


def write_report(context: Context) -> Outcome:
    """Run the stage; the page is an object of the store, and lies under a readable name beside it."""
    facts = report_facts(context)
    page = render_report(facts).encode()
    card = card_of(facts, _kept(context))
    name = f"reports/{context.task.recipe}-{context.task.stage.fingerprint[:12]}"
    place = context.store.publish(f"{name}.html", page)
    context.store.publish(f"{name}-card.html", render_html(card).encode())
    return Outcome(
        outputs={"report": context.store.objects.put(page), "card": context.put_json(card)},
        summary={"path": place, "bytes": len(page)},
    )


def _kept(context: Context) -> dict[str, Any]:
    """Collect what a card tells of the data, and what only warned."""
    snapshot, prepared = context.inputs["snapshot"].summary, context.inputs["prepare"].summary
    doubts = [*snapshot.get("doubts", ()), *prepared.get("doubts", ())]
    return {
        "about": snapshot.get("about"),
        "period": _period(context),
        "doubts": [item["headline"] for item in doubts],
        "notes": context.inputs["train"].summary.get("notes"),
    }


def _period(context: Context) -> list[str] | None:
    """Tell the first and the last time of the rows, where the recipe names a column of times."""
    fresh = context.op(Check).fresh
    column = fresh[0] if fresh else context.op(Split).time
    if column is None:
        return None
    times = context.read_table("snapshot", "snapshot", [column])[column].drop_nulls()
    return [str(times.min()), str(times.max())] if len(times) else None


def report_facts(context: Context) -> ReportFacts:
    """Collect the facts of a run."""
    facts, release = context.task.facts, context.inputs["release"].summary
    prepared, evaluation = chosen_preparation(context.inputs), context.read_json("evaluate", "evaluation")
    return ReportFacts(
        recipe=context.task.recipe,
        run_id=context.task.run_id,
        started=facts["started"],
        description=facts.get("description"),
        owner=facts.get("owner"),
        purpose=facts.get("purpose") or {},
        task="forecasting" if evaluation.get("naive") else context.op(Split).task,
        release=release["release"],
        accepted=release["accepted"],
        criteria=release["criteria"],
        rival=release["rival"],
        nested=context.inputs["nested"].summary if "nested" in context.inputs else None,
        stages=_stages(context),
        steps=prepared["steps"],
        contract=prepared.get("contract", []),
        suspects=prepared.get("suspects", []),
        leaderboard=_leaderboard(context),
        histories=_histories(context),
        importance=context.read_json("search", "importance"),
        selection=context.read_json("select", "selection"),
        evaluation=evaluation,
        explanation=context.read_json("explain", "explanation") or None,
        data=_data(context),
        origins=Origins(
            seed=context.op(Split).seed,
            versions={name: version(name) for name in LIBRARIES},
            overrides=facts.get("overrides", ()),
        ),
    )


def _histories(context: Context) -> dict[str, list[dict[str, Any]]]:
    """Take how the fits went of what was chosen; of a kind that does not tell it, nothing."""
    selection = context.read_json("select", "selection")
    wanted = {str(item["trial"]) for item in (*selection["members"], selection)}
    found: dict[str, list[dict[str, Any]]] = context.read_json("search", "histories")
    return {trial: folds for trial, folds in found.items() if trial in wanted}


def _stages(context: Context) -> list[dict[str, Any]]:
    told = []
    for item in context.task.facts["actions"]:
        record = context.inputs.get(item["stage"])
        seconds = {} if record is None else {"seconds": record.seconds}
        told.append({**item, **seconds, "parents": list(PARENTS[item["stage"]])})
    return told


def _leaderboard(context: Context) -> dict[str, Any]:
    board: dict[str, Any] = context.read_json("search", "leaderboard")
    return as_selected(with_facts(board, context.inputs["search"].summary), context.inputs["select"].summary)


def _data(context: Context) -> DataFacts:
    summary, split, check = context.inputs["snapshot"].summary, context.op(Split), context.op(Check)
    contract = [
        {
            "name": column.name,
            "type": column.type,
            "nullable": column.nullable,
            "range": column.range,
            "one_of": column.one_of,
            "description": column.description,
        }
        for column in check.columns
    ]
    return DataFacts(
        source=summary["source"],
        rows=summary["rows"],
        columns=summary["columns"],
        snapshot=summary["snapshot"],
        target=split.target,
        positive=split.positive,
        key=check.key,
        contract=contract,
        intakes=_intakes(context),
        **{name: summary[name] for name in _COUNTED if name in summary},
    )


def _intakes(context: Context) -> list[dict[str, Any]]:
    """Tell what the intakes took, up to the one that the rows are of; none where the source is read whole."""
    last = intake_of(context.store, context.inputs["snapshot"])
    if last is None:
        return []
    upto = int(last.ingredients["number"])
    found = [(int(record.ingredients["number"]), record) for record in intakes(context.store, last.recipe)]
    return [
        {"intake": number, "taken": record.started, **{name: record.summary.get(name, 0) for name in _TAKEN}}
        for number, record in found
        if number <= upto
    ]
