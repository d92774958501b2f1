"""`approve`, `promote`, `rollback` and `retire` move releases: each is recorded, with who did it and why.

The actor is whoever the machine says (`store.operations.actor`). Who can write the store can write anything in it:
roles and the audit log hold among people who mean well; keep others from the store of production.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.commands.gates import approvals_of, must_be_next, must_be_ours, must_be_whole
from mlops_compiler.commands.notices import Notices
from mlops_compiler.commands.predict import find_release
from mlops_compiler.commands.service import deployed
from mlops_compiler.commands.serving import put_in_service, url_of
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.console.streams import messages, results, say
from mlops_compiler.diagnostics import DataError, Diagnostic, Note, UsageError, listing
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.store.operations import Approval, Retirement, actor
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Deployment, Release
    from mlops_compiler.store.writer import StoreWriter


def approve(composed: Composed, invocation: Invocation) -> int:
    """Approve of a release for the recipe's environment.

    Raises:
        DataError: There is no such release, or it is retired.
        UsageError: The actor is none of those whose approval counts.
    """
    recipe, store = _opened(composed)
    release = _living(store, recipe, _number(invocation))
    who, allowed = actor(), recipe.promotion.approvers
    if allowed and who not in allowed:
        raise UsageError([_not_an_approver(who, allowed, recipe.environment)])
    notes = invocation.arguments.get("note", "")
    store.approve(
        Approval(
            recipe=recipe.name,
            release=release.number,
            environment=recipe.environment,
            actor=who,
            time=time.time(),
            notes=notes,
        )
    )
    _noted(store, recipe, "approve", release.number, {"note": notes})
    given = approvals_of(store, recipe, release.number)
    facts = {"recipe": recipe.name, "release": release.number, "environment": recipe.environment, "by": who}
    said = f"{recipe.name} release {release.number} is approved for {recipe.environment} by {who}"
    return _told(invocation, {**facts, "approvals": given}, f"{said}: {len(given)} of {recipe.promotion.approvals}")


def promote(composed: Composed, invocation: Invocation) -> int:
    """Put a release in the recipe's environment, as it is, and serve it there.

    Raises:
        DataError: There is no such release, it is retired, missing in the environment before, or lacks approvals.
        UsageError: It cannot be served where it should be.
        EngineError: It does not come up, or was taken back; what was served before stays.
    """
    recipe, store = _opened(composed)
    release = _candidate(store, recipe, invocation.number("release"))
    must_be_whole(store, release)
    return _placed(recipe, store, release, invocation, "promote", {})


def rollback(composed: Composed, invocation: Invocation) -> int:
    """Serve the release that was served before, or the one that is named, at once.

    Raises:
        UsageError: The environment serves none.
        DataError: There is none before it, it is retired, or its artifacts are gone.
        EngineError: It does not come up; what was served before stays.
    """
    recipe, store = _opened(composed)
    serving = deployed(store, recipe)
    wanted = invocation.number("to")
    number = wanted if wanted is not None else _previous(store, recipe, serving.release)
    if number == serving.release:
        raise UsageError([_serves_already(recipe.name, number)])
    release = _living(store, recipe, number)
    must_be_whole(store, release)
    reason = invocation.arguments.get("reason", "")
    done = _placed(recipe, store, release, invocation, "rollback", {"from": serving.release, "reason": reason})
    notices = Notices.of(composed, invocation, "rollout")
    tell_beside(notices.rolled_back(serving.release, number, reason or f"by {actor()}"), invocation.style)
    return done


def retire(composed: Composed, invocation: Invocation) -> int:
    """End a release for good: it is served, promoted and used no more; what is recorded of it stays.

    Raises:
        DataError: There is no such release.
        UsageError: It is served or an environment has it, and `--drain` does not say to end that.
        EngineError: Its copy cannot be written.
    """
    recipe, store = _opened(composed)
    number = _number(invocation)
    release = find_release(store, recipe.name, number, retired=True)
    if number in store.retirements(recipe.name):
        raise DataError([retired_diagnostic(store, recipe.name, release.number)])
    serving = [item for item in store.deployments(recipe.name) if item.release == release.number]
    places = [item.environment for item in store.placements(recipe.name) if item.release == release.number]
    if (serving or places) and "--drain" not in invocation.flags:
        raise UsageError([_still_used(recipe.name, release.number, places, serving)])
    must_be_ours(recipe, serving)
    archived = _archived(recipe, store, release)
    for item in serving:
        _ended(store, item)
    reason = invocation.arguments.get("reason", "")
    store.retire(Retirement(recipe=recipe.name, release=release.number, actor=actor(), time=time.time(), notes=reason))
    for environment in places:
        store.remove_placement(recipe.name, environment)
    drained = [item.environment for item in serving]
    told = {"reason": reason, "archived": archived, "drained": drained, "left": places}
    _noted(store, recipe, "retire", release.number, told)
    facts = {"recipe": recipe.name, "release": release.number, "reason": reason, "archived": archived}
    kept = f"; copies are at {listing(archived)}" if archived else ""
    return _told(invocation, facts, f"{recipe.name} release {release.number} is retired{kept}")


def _ended(store: StoreWriter, item: Deployment) -> None:
    from mlops_compiler.backends.ray.service import undeploy

    with messages().status(f"ending the service of {item.named}"):
        undeploy(item)
    store.remove_deployment(item.recipe, item.environment)


def _opened(composed: Composed) -> tuple[Recipe, StoreWriter]:
    from mlops_compiler.store.writer import open_writer

    recipe = validate(composed)
    location = store_location(recipe.store)
    if open_reader(location).release(recipe.name) is None:
        find_release(open_reader(location), recipe.name, None)
    return recipe, open_writer(location)


def _number(invocation: Invocation) -> int:
    invocation.required("release", "recipe=churn release=3")
    return int(invocation.number("release") or 0)


def _living(store: StoreReader, recipe: Recipe, number: int | None) -> Release:
    return find_release(store, recipe.name, number)


def _candidate(store: StoreReader, recipe: Recipe, number: int | None) -> Release:
    """Choose what is promoted: what is named, what the environment before has, or the newest."""
    had = must_be_next(store, recipe, number)
    return _living(store, recipe, number if had is None else had)


def _previous(store: StoreReader, recipe: Recipe, serving: int) -> int:
    """Find what was served before: by the audit log, else the release before in number.

    What was rolled back from is not returned to, until somebody deploys it again.
    """
    wanted = recipe.deploy.rollout.roll_back_to
    if wanted != "previous":
        return int(wanted)
    served, left = _history(store, recipe)
    gone = {serving, *left, *store.retirements(recipe.name)}
    older = [item.number for item in store.releases(recipe.name) if item.number < serving]
    found = next((number for number in (*reversed(served), *older) if number not in gone), None)
    if found is None:
        raise DataError([_nothing_before(recipe.name, serving)])
    return found


def _history(store: StoreReader, recipe: Recipe) -> tuple[list[int], set[int]]:
    """Tell what the environment served, the last one last, and what was rolled back from since it was deployed last."""
    served: list[int] = []
    left: set[int] = set()
    for entry in reversed(store.audit(recipe.name)):
        if entry.environment not in (None, recipe.environment):
            continue
        if entry.action == "deploy" and entry.release is not None:
            served = [*(number for number in served if number != entry.release), entry.release]
            left.discard(entry.release)
        elif entry.action == "rollback" and isinstance(entry.payload.get("from"), int):
            left.add(entry.payload["from"])
    return served, left


def _placed(
    recipe: Recipe, store: StoreWriter, release: Release, invocation: Invocation, action: str, payload: dict[str, Any]
) -> int:
    back = action == "rollback"
    with messages().status(f"{recipe.name} release {release.number} goes to {recipe.environment}"):
        deployment = put_in_service(recipe, release, at_once=back, said=say)
    _noted(store, recipe, action, release.number, payload)
    facts = {"recipe": recipe.name, "release": release.number, "environment": recipe.environment, **payload}
    said = f"{recipe.name} release {release.number} is in {recipe.environment}, served at {url_of(deployment)}"
    return _told(invocation, {**facts, "url": url_of(deployment)}, said)


def _archived(recipe: Recipe, store: StoreReader, release: Release) -> list[str]:
    """Copy the model of a release to each backup of its data, and read it back."""
    from mlops_compiler.store.backup import Backup

    run = store.run(release.run_id)
    seals = [str(item["fingerprint"]) for item in run.plan if item.get("stage") == "train"] if run else []
    records = [record for seal in seals if (record := store.stage_record(seal)) is not None]
    places = []
    for url in recipe.data.snapshot.backups:
        backup = Backup(str(url))
        for record in records:
            backup.keep(record, store.objects)
        places.append(backup.location.shown)
    return places


def _noted(store: StoreWriter, recipe: Recipe, action: str, number: int, payload: dict[str, Any]) -> None:
    store.add_audit(
        actor=actor(),
        action=action,
        recipe=recipe.name,
        release=number,
        environment=recipe.environment,
        payload=payload,
    )


def _told(invocation: Invocation, facts: dict[str, Any], text: str) -> int:
    if invocation.as_json:
        invocation.print_json(facts)
    else:
        results().print(text, soft_wrap=True)
    return DONE


def retired_diagnostic(store: StoreReader, recipe: str, number: int) -> Diagnostic:
    """A release is wanted that was ended."""
    end = store.retirements(recipe)[number]
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(end.time))
    return Diagnostic(
        code="release-retired",
        headline=f"release {number} of `{recipe}` was retired by {end.actor} on {when} UTC",
        notes=(Note(text=end.notes),) if end.notes else (),
        help=f"see what there is: mlops-compile releases recipe={recipe}",
    )


def _not_an_approver(who: str, allowed: tuple[str, ...], environment: str) -> Diagnostic:
    return Diagnostic(
        code="not-an-approver",
        headline=f"{who} may not approve for {environment}",
        notes=(Note(text=f"`promotion.approvers` names {listing(allowed)}"),),
    )


def _serves_already(recipe: str, number: int) -> Diagnostic:
    return Diagnostic(code="bad-argument", headline=f"`{recipe}` serves release {number} already")


def _nothing_before(recipe: str, serving: int) -> Diagnostic:
    return Diagnostic(
        code="no-release-before",
        headline=f"nothing was served of `{recipe}` before release {serving}",
        help="name a release: rollback to=N",
    )


def _still_used(recipe: str, number: int, places: list[str], serving: list[Deployment]) -> Diagnostic:
    where = [*(f"served in {item.environment}" for item in serving)]
    where += [f"in {name}" for name in places if name not in {item.environment for item in serving}]
    return Diagnostic(
        code="release-served",
        headline=f"release {number} of `{recipe}` is {listing(where)}",
        help="put another one in its place first, or end that with it: `--drain`",
    )
