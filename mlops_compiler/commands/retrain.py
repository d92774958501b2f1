"""`retrain` trains a model anew on the newest rows and on those that come back, and releases it if it is better.

It does what `run` does, through the same gates; beside them the new model must beat what the recipe says on rows that
neither model was trained on. Why it was trained is part of the run's record, and of the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, INTERRUPTED
from mlops_compiler.commands.gathering import collect, failings_of, feedback_of, gather
from mlops_compiler.commands.run import carried_out
from mlops_compiler.commands.serving import put_in_service
from mlops_compiler.commands.signals import interruptible
from mlops_compiler.commands.telling import tell
from mlops_compiler.commands.watching import WallClock
from mlops_compiler.console.streams import messages, results, say
from mlops_compiler.diagnostics import Diagnostic, MlopsError, UsageError, mask
from mlops_compiler.driver import plan_recipe, store_location
from mlops_compiler.monitoring.occasions import BY_HAND, Triggers, occasion
from mlops_compiler.store.collections import refuse_collection
from mlops_compiler.store.operations import actor
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.commands.watching import Clock
    from mlops_compiler.driver import Planned
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.monitoring.occasions import Occasion
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.collections import Collection
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.writer import StoreWriter

ACTION = "retrain"
"""What the audit log calls it."""
_LOOK_SECONDS = 20.0
_AUDIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """A retraining that has begun."""

    planned: Planned
    why: Occasion
    collection: Collection
    store: StoreWriter

    def to_json(self) -> dict[str, Any]:
        """Give what the run records of it."""
        rows = self.collection.rows if self.collection.refused is None else 0
        return {**self.why.to_json(), "collection": self.collection.number, "rows": rows}


def retrain(composed: Composed, invocation: Invocation) -> int:
    """Train a model anew: now, where it is due (``--if-due``), or each time that it is (``--watch``).

    Returns:
        As `run`; 0 also where nothing was due, or nothing had changed.

    Raises:
        UsageError: The recipe has no `feedback`; or is to be watched, and says no time and no finding.
        MlopsError: The recipe, the data or the engine failed.
    """
    planned = plan_recipe(composed)
    feedback_of(planned, composed.recipe_name)
    if "--watch" in invocation.flags:
        return _watched(composed, planned.compiled.recipe, invocation, WallClock())
    why: Occasion | None = BY_HAND
    if "--if-due" in invocation.flags:
        triggers = _triggers(planned.compiled.recipe, composed.recipe_name)
        why = _due(planned.store, planned.compiled.recipe, triggers, datetime.now(UTC))
    if why is None:
        return _say_nothing("nothing is due", {"due": False}, planned.plan.recipe, invocation)
    return train_anew(composed, invocation, why)


def train_anew(composed: Composed, invocation: Invocation, why: Occasion, *, unattended: bool = False) -> int:
    """Collect what comes back, run the recipe with it, and deploy what is released, where the recipe asks for that."""
    begun = _begin(composed, why)
    planned = plan_recipe(composed, retrained=True)
    if all(stage.name == "report" for stage in planned.plan.to_run):
        _note(begun, {"outcome": "nothing new"})
        said = "nothing has changed since the release in place was made"
        return _say_nothing(said, {"due": True, **begun.to_json()}, planned.plan.recipe, invocation)
    say(_announced(begun))
    code, run_id = carried_out(composed, invocation, begun.to_json(), unattended=unattended)
    _after(begun, run_id, invocation)
    return code


def _begin(composed: Composed, why: Occasion) -> Retraining:
    planned = plan_recipe(composed)
    store = open_writer(planned.location)
    with messages().status("reading what was logged"):
        gathered = gather(planned, composed.recipe_name)
        collection = collect(gathered, failings_of(gathered, planned), store)
    _tell_held_back(collection, store, planned.plan.recipe)
    return Retraining(planned=planned, why=why, collection=collection, store=store)


def _tell_held_back(collection: Collection, store: StoreWriter, recipe: str) -> None:
    """Say whose labels are held back, and note it down."""
    for name, said in collection.account["sources"].items():
        if said["held_back"]:
            say(f"{name} is held back: {said['why']}", style="yellow")
            payload = {"source": name, "why": said["why"], "collection": collection.number}
            store.add_audit(actor=actor(), action="quarantine", recipe=recipe, payload=payload)


def _announced(begun: Retraining) -> str:
    told = begun.to_json()
    rows = f"{told['rows']:,} rows of wrong predictions come back" if told["rows"] else "no row comes back"
    return f"training {begun.planned.plan.recipe} anew: {begun.why.text}; {rows}"


def _after(begun: Retraining, run_id: str, invocation: Invocation) -> None:
    """Refuse the rows of a model that was refused, note down what became of it, and deploy where that is asked for."""
    run = begun.store.run(run_id)
    status, number = (run.status, run.summary.get("release")) if run is not None else ("lost", None)
    if status == "rejected" and begun.to_json()["rows"]:
        refuse_collection(begun.store, begun.collection, run_id)
    _note(begun, {"outcome": status, "run": run_id}, release=number)
    recipe = begun.planned.compiled.recipe
    if number is None or recipe.feedback is None or not recipe.feedback.retrain.deploy:
        return
    release = begun.store.release(recipe.name, int(number))
    if release is not None:
        deployment = put_in_service(recipe, release, said=say)
        out = messages() if invocation.as_json else results()
        out.print(f"release {release.number} is served at {deployment.settings['url']}", soft_wrap=True)


def _note(begun: Retraining, outcome: dict[str, Any], release: int | None = None) -> None:
    payload = {**begun.to_json(), **outcome}
    recipe = begun.planned.plan.recipe
    begun.store.add_audit(actor=actor(), action=ACTION, recipe=recipe, release=release, payload=payload)


def _say_nothing(text: str, told: dict[str, Any], recipe: str, invocation: Invocation) -> int:
    if invocation.as_json:
        invocation.print_json({"recipe": recipe, **told, "said": text})
    else:
        results().print(f"{recipe}: {text}", soft_wrap=True, highlight=False)
    return DONE


def _triggers(recipe: Recipe, called: str) -> Triggers:
    """Give what fires a retraining.

    Raises:
        UsageError: Nothing does.
    """
    asked = recipe.feedback.retrain if recipe.feedback is not None else None
    if asked is None or (asked.cron is None and not asked.when):
        raise UsageError([_no_trigger(called)])
    return Triggers(cron=asked.cron, when=asked.when, patience=asked.patience)


def _due(store: StoreReader, recipe: Recipe, triggers: Triggers, now: datetime) -> Occasion | None:
    """Say whether a retraining is due since the last one, or else since the first release."""
    done = [entry.time for entry in store.audit(recipe.name, _AUDIT) if entry.action == ACTION]
    made = [release.created for release in store.releases(recipe.name)]
    last = done[0] if done else made[-1] if made else None
    if last is None:
        return None
    return occasion(triggers, store.checks(recipe.name, recipe.environment), datetime.fromtimestamp(last, UTC), now)


def _watched(composed: Composed, recipe: Recipe, invocation: Invocation, clock: Clock) -> int:
    """Train anew whenever that is due, whatever becomes of one training, until Ctrl-C or SIGTERM."""
    triggers, location = _triggers(recipe, composed.recipe_name), store_location(recipe.store)
    store = open_writer(location)
    times = [*([f"cron {triggers.cron} (UTC)"] if triggers.cron else []), *triggers.when]
    done = 0

    say(f"training {recipe.name} anew by {' or '.join(times)}; Ctrl-C ends it")
    try:
        with interruptible():
            while True:
                if (why := _due(store, recipe, triggers, clock.now())) is not None:
                    done += 1
                    _attempt(composed, invocation, why, store)
                clock.wait(_LOOK_SECONDS)
    except KeyboardInterrupt:
        say(f"\nwatching ended: {done} retraining{'' if done == 1 else 's'}")
    return INTERRUPTED


def _attempt(composed: Composed, invocation: Invocation, why: Occasion, store: StoreWriter) -> None:
    """Train anew; what fails is told and noted down, and does not end the watching."""
    recipe = composed.config["name"]
    try:
        code = train_anew(composed, invocation, why, unattended=True)
    except MlopsError as error:
        tell(error.diagnostics, invocation.style)
        told = {**why.to_json(), "outcome": "failed", "error": mask(error.diagnostics[0].headline)}
        store.add_audit(actor=actor(), action=ACTION, recipe=recipe, payload=told)
        return
    if code == INTERRUPTED:
        raise KeyboardInterrupt


def _no_trigger(called: str) -> Diagnostic:
    return Diagnostic(
        code="no-cron",
        headline=f"`{called}` does not say when to train anew",
        help='add `cron: "0 3 * * 0"` under `feedback.retrain`, or `when: [drift, performance]`',
    )
