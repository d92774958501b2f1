"""`run` takes a recipe to its end: plan, execute what is not recorded, record the run, say what happened."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, INTERRUPTED, REJECTED
from mlops_compiler.commands.doubts import doubts
from mlops_compiler.commands.keeping import about_data, back_up
from mlops_compiler.commands.notices import Notices, tell_outcome
from mlops_compiler.commands.origins import origins
from mlops_compiler.commands.plan import plan_data, plan_rows, warnings
from mlops_compiler.commands.planned import require_planned
from mlops_compiler.commands.signals import interruptible
from mlops_compiler.commands.submit import SUBMIT, submit_run
from mlops_compiler.commands.suspects import leak_suspects
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.commands.tracking import Tracking
from mlops_compiler.console.progress import Progress
from mlops_compiler.console.streams import messages, results, say
from mlops_compiler.console.summary import RunSummary, print_summary
from mlops_compiler.diagnostics import MlopsError, mask, render_json
from mlops_compiler.driver import plan_recipe
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.plan.stages import Reuse
from mlops_compiler.report.leaderboard import as_selected
from mlops_compiler.report.search_end import with_facts
from mlops_compiler.store.operations import actor
from mlops_compiler.store.records import RunRecord, chosen_preparation
from mlops_compiler.store.writer import open_writer
from mlops_compiler.tables.table import is_pattern, must_be_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.driver import Planned
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.records import StageRecord
    from mlops_compiler.store.writer import StoreWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run that has begun."""

    planned: Planned
    record: RunRecord
    store: StoreWriter
    tracking: Tracking


def run(composed: Composed, invocation: Invocation) -> int:
    """Run a recipe to its end.

    Returns:
        0 where every acceptance criterion is met, 1 where one is missed, 130 where it was interrupted.

    Raises:
        MlopsError: The recipe, the data or the engine failed; recorded as such.
    """
    if SUBMIT in invocation.flags:
        return submit_run(composed, invocation)
    return carried_out(composed, invocation)[0]


def carried_out(
    composed: Composed, invocation: Invocation, retraining: dict[str, Any] | None = None, *, unattended: bool = False
) -> tuple[int, str]:
    """Run a recipe to its end in this process.

    Args:
        composed: The recipe.
        invocation: The command line.
        retraining: Why a model is trained anew, where it is: part of the run's record.
        unattended: As for `Notices`.

    Returns:
        As `run`, and the name of the run.

    Raises:
        MlopsError: As `run`.
    """
    notices = Notices.of(composed, invocation, "run", unattended=unattended)
    with notices.of_failure():
        planned = plan_recipe(composed, retrained=retraining is not None)
        if not planned.plan.source_is_here:
            _require_source(planned)
        require_planned(planned, invocation)
        tell_beside(warnings(planned), invocation.style)
        begun = _begin(planned, retraining)
        notices.run = begun.record.run_id
        return _run(begun, invocation, notices), begun.record.run_id


def _run(begun: Started, invocation: Invocation, notices: Notices) -> int:
    try:
        with interruptible():
            records = _execute(begun)
    except KeyboardInterrupt:
        begun.store.finish_run(begun.record.run_id, "interrupted", {})
        begun.tracking.stopped("interrupted")
        say("\ninterrupted; finished stages and trials are kept, and the next run goes on from them")
        return INTERRUPTED
    except Exception as error:
        headline = (
            error.diagnostics[0].headline if isinstance(error, MlopsError) else f"{type(error).__name__}: {error}"
        )
        begun.store.finish_run(begun.record.run_id, "failed", {"error": mask(headline)})
        tell_beside(begun.tracking.stopped("failed"), invocation.style)
        raise
    return _end(begun, records, invocation, notices)


def _require_source(planned: Planned) -> None:
    """Refuse a run without its data, whatever of it could be reused: nobody could say what it was a run of."""
    compiled = planned.compiled
    for node, read in compiled.program.of(Read):
        must_be_here(read, compiled.composed.root, node.span)


def _begin(planned: Planned, retraining: dict[str, Any] | None) -> Started:
    store = open_writer(planned.location)
    store.sweep()
    record = RunRecord(
        run_id=time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:6],
        recipe=planned.plan.recipe,
        status="running",
        started=time.time(),
        finished=None,
        pid=os.getpid(),
        host=socket.gethostname(),
        overrides=[mask(token) for token in planned.compiled.composed.overrides],
        summary={**origins(planned, store), "actor": actor(), **({"retraining": retraining} if retraining else {})},
        plan=plan_data(planned.plan),
    )
    store.start_run(record)
    if retraining is not None:
        store.add_event(record.run_id, "retraining", retraining)
    return Started(planned=planned, record=record, store=store, tracking=Tracking(planned, record))


def _execute(begun: Started) -> dict[str, StageRecord]:
    plan = begun.planned.plan
    if not plan.to_run:
        return {action.stage.name: action.record for action in plan.actions if isinstance(action, Reuse)}
    from mlops_compiler.runtime.executor import Feed, Watchers, execute

    with Progress(messages(), plan_rows(plan)) as progress:
        feed = Feed(store=begun.store, run_id=begun.record.run_id, watcher=Watchers((progress, begun.tracking)))
        return execute(plan, _tasks(begun), begun.planned.compiled.recipe.cluster, feed)


def _tasks(begun: Started) -> dict[str, StageTask]:
    from mlops_compiler.backends.stages.context import StageTask

    planned, recipe = begun.planned, begun.planned.compiled.recipe
    facts = {
        "description": recipe.description,
        "purpose": recipe.purpose.model_dump(),
        "owner": recipe.owner.model_dump() if recipe.owner else None,
        "started": begun.record.started,
        "overrides": begun.record.overrides,
        "actions": begun.record.plan,
        "data": about_data(recipe),
    }
    return {
        stage.name: StageTask(
            stage=stage,
            recipe=recipe.name,
            root=str(planned.compiled.composed.root.absolute()),
            store=planned.location,
            run_id=begun.record.run_id,
            facts=facts,
        )
        for stage in planned.plan.to_run
    }


def _end(begun: Started, records: dict[str, StageRecord], invocation: Invocation, notices: Notices) -> int:
    outcome = records["release"].summary
    status = "succeeded" if outcome["accepted"] else "rejected"
    selected = records["select"].summary
    kept = {
        **outcome,
        **records["evaluate"].summary,
        "validation": selected["validation"],
        "preparation": selected["preparation"],
        "explained": records["explain"].summary,
        "search": {name: records["search"].summary.get(name) for name in ("ended", "spent")},
        "report": records["report"].summary["path"],
    }
    begun.store.finish_run(begun.record.run_id, status, kept)
    summary = _summary(begun, records, status)
    compiled = begun.planned.compiled
    place = compiled.composed.provenance.value_span(("data", "snapshot", "backups"))
    copied = [records["snapshot"], *([records["train"]] if outcome["accepted"] else [])]
    failed = [item for record in copied for item in back_up(compiled.recipe, begun.store, record, place)[1]]
    doubted = [*doubts(records["snapshot"].summary), *doubts(chosen_preparation(records))]
    found = (*failed, *doubted, *leak_suspects(chosen_preparation(records), compiled))
    found += tell_outcome(notices, outcome, summary.ran)
    found += begun.tracking.ended(status, records, begun.store)
    tell_beside(found, invocation.style)
    if invocation.as_json:
        told = (*warnings(begun.planned), *found)
        again = {name: begun.record.summary[name] for name in ("retraining",) if name in begun.record.summary}
        invocation.print_json({**asdict(summary), **again, "warnings": render_json(told)})
    else:
        print_summary(summary, results())
    return DONE if outcome["accepted"] else REJECTED


def _summary(begun: Started, records: dict[str, StageRecord], status: str) -> RunSummary:
    plan, outcome = begun.planned.plan, records["release"].summary
    running = [stage.name for stage in plan.to_run]

    def read(stage: str, name: str) -> Any:
        return json.loads(begun.store.objects.get(records[stage].outputs[name]))

    selection = read("select", "selection")
    return RunSummary(
        recipe=plan.recipe,
        run_id=begun.record.run_id,
        status=status,
        seconds=time.time() - begun.record.started,
        ran=running,
        reused=[action.stage.name for action in plan.actions if action.stage.name not in running],
        release=outcome["release"],
        criteria=outcome["criteria"],
        rival=outcome["rival"],
        nested=records["nested"].summary if "nested" in records else None,
        leaderboard=as_selected(with_facts(read("search", "leaderboard"), records["search"].summary), selection),
        selection=selection,
        evaluation=read("evaluate", "evaluation"),
        explained=records["explain"].summary,
        report=_shown(records["report"].summary["path"]),
        next_commands=_next(begun, outcome),
    )


def _shown(path: str) -> str:
    """A path as the user would type it: relative, where it lies below the working directory."""
    with contextlib.suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path


def _next(begun: Started, outcome: Mapping[str, Any]) -> list[tuple[str, str]]:
    composed = begun.planned.compiled.composed
    named = next(
        (token for token in composed.overrides if token.startswith("recipe=")),
        f"recipe={composed.recipe_name}",
    )
    recipe = begun.planned.compiled.recipe
    data, asked = recipe.data, recipe.promotion
    source = data.source.path
    is_table = data.intake is None and data.source.kind != "sql"
    scorable = is_table and not is_pattern(source) and "://" not in source
    if not outcome["accepted"]:
        return [
            ("search longer", f"mlops-compile {named} search.trials=100"),
            ("look back", f"mlops-compile runs {named}"),
        ]
    score = f"mlops-compile predict {named} input={_shown(str(composed.root / source))} output=scores.csv"
    number = outcome["release"]
    gated = asked.approvals or asked.after or asked.four_eyes
    approve = f"mlops-compile approve {named} release={number}"
    return [
        *([("approve it", approve)] if asked.approvals else []),
        ("promote it", f"mlops-compile promote {named}") if gated else ("serve it", f"mlops-compile deploy {named}"),
        *([("score a file", score)] if scorable else []),
        ("look back", f"mlops-compile runs {named}"),
    ]
