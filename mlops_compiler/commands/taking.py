"""One intake: what is new is read, all rows are checked as a run would check them, and both are recorded at once."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.analysis.joins import source_span
from mlops_compiler.analysis.source import read_of
from mlops_compiler.commands.doubts import doubts
from mlops_compiler.commands.keeping import about_data, back_up
from mlops_compiler.diagnostics import DataError, Diagnostic, EngineError, Note, Severity, listing
from mlops_compiler.driver import compile_recipe, plan_recipe, store_location
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.store.intakes import STAGE, last_intake
from mlops_compiler.store.records import StageRecord
from mlops_compiler.store.versions import versions
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.incremental import Taken
    from mlops_compiler.commands.notices import Notices
    from mlops_compiler.driver import Planned
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.intakes import Intake, State
    from mlops_compiler.store.writer import StoreWriter

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an intake came to.

    Attributes:
        number: Of the intake; of the last one, where there was nothing to record.
        version: The version of the data now.
        is_new: Whether there are other rows than before.
        summary: What became of what was delivered.
        warnings: What else there is to tell.
    """

    number: int
    version: int
    is_new: bool
    summary: dict[str, Any]
    warnings: tuple[Diagnostic, ...]

    @property
    def took(self) -> int:
        """How many rows were added, or took the place of others."""
        return int(self.summary["new"] + self.summary["changed"]) if self.is_new else 0

    def to_json(self) -> dict[str, Any]:
        """All of it but the warnings."""
        return {"intake": self.number, "version": self.version, "new_version": self.is_new, **self.summary}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """An intake while it is made."""

    composed: Composed
    recipe: Recipe
    store: StoreWriter
    run: str
    last: Intake | None
    anew: bool

    @property
    def state(self) -> State | None:
        """What the last intake knew, where this one goes on from it."""
        return None if self.last is None or self.anew else self.last.state


def take_in(composed: Composed, recipe: Recipe, notices: Notices, *, anew: bool = False) -> Result:
    """Take in what is new, and record it; several may do so at once.

    Args:
        composed: The recipe.
        recipe: The same, valid.
        notices: Is told the name of the intake, for whoever hears of it.
        anew: Whether to forget what was taken before, and take all that the source has now.

    Raises:
        MlopsError: The source, its rows, the recipe or the store fail; what was taken before is as it was.
    """
    store = open_writer(store_location(recipe.store))
    store.sweep()
    notices.run = time.strftime("intake-%Y%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:6]
    warned = () if anew else compile_recipe(composed).warnings
    for _ in range(_TRIES):
        last = last_intake(store, recipe.name)
        job = _Job(composed=composed, recipe=recipe, store=store, run=notices.run, last=last, anew=anew)
        taken = _taken(job)
        if not taken.summary["rows"]:
            raise DataError(replace(item, severity=Severity.ERROR) for item in _refused(taken.summary))
        if job.last is not None and not anew and not taken.is_new:
            return _result(job, taken, job.last.record, warned)
        snapshot = _snapshot(plan_recipe(composed, taken.state), job)
        record = _record(job, taken, snapshot)
        if store.commit_intake(record, snapshot):
            _remember(taken, store)
            return _result(job, taken, record, (*warned, *doubts(snapshot.summary), *_copied(job, snapshot, record)))
    raise EngineError([_overtaken(recipe.name)])


def _taken(job: _Job) -> Taken:
    from mlops_compiler.backends.stages.delivery import Delivery
    from mlops_compiler.backends.stages.incremental import take_new

    source, places = job.recipe.data.source, job.composed.provenance
    delivery = Delivery(
        recipe=job.recipe,
        read=read_of(source),
        root=job.composed.root.absolute(),
        span=source_span(source, ("data", "source"), places),
        place=places.key_span(("data", "intake")),
    )
    return take_new(delivery, job.state, job.store)


def _snapshot(planned: Planned, job: _Job) -> StageRecord:
    """Make the version as a run would make it; nothing is recorded yet."""
    from mlops_compiler.backends.stages.bodies import make_stage
    from mlops_compiler.backends.stages.context import StageTask

    stage = planned.plan.stage("snapshot")
    if (known := planned.store.stage(stage.fingerprint)) is not None:
        return known
    task = StageTask(
        stage=stage,
        recipe=job.recipe.name,
        root=str(job.composed.root.absolute()),
        store=planned.location,
        run_id=job.run,
        facts={"data": about_data(job.recipe)},
    )
    return make_stage(task, {})


def _record(job: _Job, taken: Taken, snapshot: StageRecord) -> StageRecord:
    text = json.dumps(taken.state.to_json(), sort_keys=True, ensure_ascii=False)
    state = job.store.objects.put(text.encode())
    ingredients = {
        "number": 1 if job.last is None else job.last.number + 1,
        "follows": None if job.last is None else job.last.record.fingerprint,
        "taken": taken.state.table,
        "state": state,
    }
    return StageRecord(
        fingerprint=fingerprint({"stage": STAGE, "recipe": job.recipe.name, "ingredients": ingredients}),
        recipe=job.recipe.name,
        name=STAGE,
        ingredients=ingredients,
        outputs={"taken": taken.state.table, "snapshot": snapshot.outputs["snapshot"], "state": state},
        summary=taken.summary,
        run_id=job.run,
        started=time.time(),
        seconds=snapshot.seconds,
    )


def _remember(taken: Taken, store: StoreWriter) -> None:
    """Spare the next plan the hashing of what was hashed just now."""
    if (path := store.objects.local_path(taken.state.table)) is not None:
        stat = path.stat()
        store.remember_file(str(path.resolve()), stat.st_size, stat.st_mtime_ns, taken.state.table)


def _copied(job: _Job, *records: StageRecord) -> tuple[Diagnostic, ...]:
    """Copy the version to each backup, and what the next intake must know of it."""
    place = job.composed.provenance.value_span(("data", "snapshot", "backups"))
    return tuple(item for record in records for item in back_up(job.recipe, job.store, record, place)[1])


def _result(job: _Job, taken: Taken, record: StageRecord, warned: tuple[Diagnostic, ...]) -> Result:
    made = record.outputs["snapshot"]
    version = next((item.number for item in versions(job.store, job.recipe.name) if item.digest == made), 0)
    before = job.state.table if job.state is not None else None
    return Result(
        number=int(record.ingredients["number"]),
        version=version,
        is_new=taken.state.table != before,
        summary=taken.summary,
        warnings=(*warned, *_refused(taken.summary), *_changed(taken.summary)),
    )


def _refused(summary: dict[str, Any]) -> tuple[Diagnostic, ...]:
    if not summary["refused"]:
        return ()
    why = {
        "unmarked": f"have no `{summary['column']}`, or none that can be read",
        "too_late": "lie further behind the watermark than `late` allows",
    }
    return (
        Diagnostic(
            code="intake-refused",
            headline=f"{summary['refused']:,} rows were not taken in",
            notes=tuple(Note(text=f"{summary[name]:,} {text}") for name, text in why.items() if summary[name]),
            help="mend them in the source, or raise `data.intake.late`: the next intake takes them",
            severity=Severity.WARNING,
        ),
    )


def _changed(summary: dict[str, Any]) -> tuple[Diagnostic, ...]:
    if not summary["changed_files"]:
        return ()
    return (
        Diagnostic(
            code="file-changed",
            headline=f"{listing(summary['changed_files'])} changed since rows were taken from there",
            help="what is new in it was taken; rows that it no longer has stay",
            severity=Severity.WARNING,
        ),
    )


def _overtaken(recipe: str) -> Diagnostic:
    return Diagnostic(
        code="intake-overtaken",
        headline=f"other intakes of `{recipe}` were quicker, {_TRIES} times",
        help="let one at a time take rows in",
    )
