"""`rollout` says how a new release does that is on its way to take the place of another, and aborts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.commands.service import deployed
from mlops_compiler.console.streams import messages, results, say
from mlops_compiler.console.text import DIM, line
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.serving.rollout import sentence
from mlops_compiler.store.operations import actor
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.operations import AuditEntry
    from mlops_compiler.store.records import Deployment

_STEPS = ("replay", "shadow", "canary", "blue_green")


def rollout(composed: Composed, invocation: Invocation) -> int:
    """Tell of the rollout that goes on, else of the last one; with ``--abort`` end it.

    Raises:
        UsageError: The recipe is not deployed, or another machine watches the rollout.
        EngineError: It does not end.
    """
    from mlops_compiler.backends.ray.serve_interrupt import rollout_of

    recipe = validate(composed)
    location = store_location(recipe.store)
    store = open_reader(location)
    deployment = deployed(store, recipe)
    if "--abort" in invocation.flags:
        _abort(deployment)
        deployment = deployed(store, recipe)
    now = rollout_of(deployment)
    last = _last([entry for entry in store.audit(recipe.name) if _is_step(entry, recipe.environment)])
    if invocation.as_json:
        told = [{"time": entry.time, "release": entry.release, **entry.payload} for entry in last]
        facts = {"recipe": recipe.name, "environment": recipe.environment, "release": deployment.release}
        invocation.print_json({**facts, "rollout": now, "steps": told})
    else:
        _print(deployment, now, last)
    return DONE


def _is_step(entry: AuditEntry, environment: str) -> bool:
    """Say whether an entry is of a rollout in an environment; older ones do not say in which they were."""
    return entry.action in _STEPS and entry.environment in (None, environment)


def _last(entries: list[AuditEntry]) -> list[AuditEntry]:
    """Choose the steps of the last rollout, in their order: those of one release, back to its replay.

    Args:
        entries: The steps of all rollouts, the newest first.
    """
    found: list[AuditEntry] = []
    for entry in entries:
        if entry.release != entries[0].release:
            break
        found.insert(0, entry)
        if entry.action == "replay":
            break
    return found


def _abort(deployment: Deployment) -> None:
    from mlops_compiler.backends.ray.serve_interrupt import rollout_of
    from mlops_compiler.backends.ray.service import abort_rollout
    from mlops_compiler.store.writer import open_writer

    if (found := rollout_of(deployment)) is None:
        say(f"no release is on its way to take the place of release {deployment.release}")
        return
    with messages().status(f"ending the rollout of release {found['release']}"):
        location = abort_rollout(deployment)
    open_writer(location).add_audit(
        actor=actor(),
        action="abort",
        recipe=deployment.recipe,
        release=found["release"],
        environment=deployment.environment,
        payload={"at": found},
    )
    say(f"the rollout of release {found['release']} is ended; release {deployment.release} serves on")


def _print(deployment: Deployment, now: dict[str, Any] | None, steps: list[AuditEntry]) -> None:
    console = results()
    console.print(f"{deployment.recipe} release {deployment.release} is in place in {deployment.environment}")
    for entry in steps:
        line(console, (f"  {sentence(entry.payload, entry.release or 0)}", DIM))
    if now is not None:
        cut_off = "" if now["watched"] is not False else "; nobody watches it any more, and it has no traffic"
        line(console, f"now: {sentence(now, now['release'])}{cut_off}")
