"""What must hold before a release takes its place in an environment.

Each command that puts a release in service passes here (`serving.put_in_service`). What is put back in haste needs no
approval anew, if the environment had it before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, UsageError, listing
from mlops_compiler.store.operations import actor
from mlops_compiler.store.records import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Deployment, Release

_ALL = 1_000_000_000


def must_have_been_here(store: StoreReader, recipe: Recipe, release: Release) -> None:
    """Refuse to put back what the recipe's environment never had, unless it may come anew.

    Raises:
        DataError: It never was there, and lacks what `promotion` asks.
    """
    had = {
        entry.release
        for entry in store.audit(recipe.name, _ALL)
        if entry.action == "deploy" and entry.environment == recipe.environment
    }
    if release.number not in had:
        must_be_allowed(store, recipe, release)


def must_be_ours(recipe: Recipe, serving: Sequence[Deployment]) -> None:
    """Refuse to end services of a recipe one of which is that of a stricter environment than the recipe's.

    Raises:
        UsageError: One is.
    """
    for item in serving:
        if ENVIRONMENTS.index(item.environment) > ENVIRONMENTS.index(recipe.environment):
            raise UsageError([_others(recipe, item)])


def must_have_its_route(store: StoreReader, recipe: Recipe) -> None:
    """Refuse a route at which another service answers: all of a store's own engine listen at one port.

    Raises:
        UsageError: There is one.
    """
    for item in store.deployments():
        is_own = (item.recipe, item.environment) == (recipe.name, recipe.environment)
        if not is_own and _place(recipe, item) == (item.port, item.route.rstrip("/")):
            raise UsageError([_route_taken(recipe, item)])


def must_be_allowed(store: StoreReader, recipe: Recipe, release: Release) -> None:
    """Refuse a release that lacks what `promotion` asks for the recipe's environment.

    Raises:
        DataError: It is not what the environment before has, or too few people approved of it.
    """
    must_be_next(store, recipe, release.number)
    asked = recipe.promotion
    given = approvals_of(store, recipe, release.number)
    counted = [who for who in given if not (asked.four_eyes and who == actor())]
    if len(counted) < asked.approvals:
        raise DataError([_lacks_approvals(recipe, release.number, counted, given)])


def must_be_next(store: StoreReader, recipe: Recipe, number: int | None) -> int | None:
    """Give the release that comes to the recipe's environment next; None where any may come.

    Args:
        store: What is recorded.
        recipe: Says which environment must have had it.
        number: The release that is wanted; None takes the next, whichever that is.

    Raises:
        DataError: The environment before has none, or another one than is wanted.
    """
    before = recipe.promotion.after
    if before is None:
        return None
    had = next((item.release for item in store.placements(recipe.name) if item.environment == before), None)
    if had is None or number not in (None, had):
        raise DataError([_not_there(recipe, before, number, had)])
    return had


def approvals_of(store: StoreReader, recipe: Recipe, number: int) -> list[str]:
    """List who approved of a release for the recipe's environment, and counts."""
    allowed = recipe.promotion.approvers
    given = [item.actor for item in store.approvals(recipe.name, number) if item.environment == recipe.environment]
    return [who for who in given if not allowed or who in allowed]


def must_be_whole(store: StoreReader, release: Release) -> None:
    """Read all that serving needs, before anything is put in the place of what serves.

    Raises:
        EngineError: It is missing or damaged.
    """
    manifest = json.loads(store.objects.get(release.manifest))
    members = manifest["model"].get("members") or [manifest["model"]]
    for member in members:
        for digest in member["files"].values():
            store.objects.get(digest)


def _place(recipe: Recipe, other: Deployment) -> tuple[int, str] | None:
    """Say where the recipe would answer; None on another cluster than a service does."""
    address = recipe.cluster.address
    named = ("embedded",) if other.pid is not None else ("auto", other.address)
    return (recipe.deploy.port, recipe.deploy.route.rstrip("/")) if address in named else None


def _others(recipe: Recipe, item: Deployment) -> Diagnostic:
    return Diagnostic(
        code="service-of-another-environment",
        headline=f"{item.environment} serves release {item.release} of `{recipe.name}`, and the recipe's environment "
        f"is {recipe.environment}",
        help=f"say so where you mean it: environment={item.environment}",
    )


def _route_taken(recipe: Recipe, item: Deployment) -> Diagnostic:
    return Diagnostic(
        code="route-taken",
        headline=f"`{recipe.name}` in {recipe.environment} cannot answer at {item.route}: `{item.recipe}` in "
        f"{item.environment} does",
        help=f"give it a route of its own: deploy.route=/{recipe.name}-{recipe.environment}; or end the other: "
        f"mlops-compile undeploy {item.words}",
    )


def _not_there(recipe: Recipe, before: str, number: int | None, has: int | None) -> Diagnostic:
    what = "has no release" if has is None else f"has release {has}, not {number}"
    return Diagnostic(
        code="not-promoted-before",
        headline=f"{recipe.environment} takes what {before} has, and {before} {what}",
        help=f"promote it there first: mlops-compile promote recipe={recipe.name} environment={before}",
    )


def _lacks_approvals(recipe: Recipe, number: int, counted: list[str], given: list[str]) -> Diagnostic:
    asked = recipe.promotion
    notes = [f"approved by {listing(given)}" if given else "nobody has approved of it"]
    if len(counted) < len(given):
        notes.append(f"{actor()} promotes it, and `promotion.four_eyes` wants others to approve")
    if asked.approvers:
        notes.append(f"those count of {listing(asked.approvers)}")
    return Diagnostic(
        code="lacks-approvals",
        headline=f"release {number} of `{recipe.name}` has {len(counted)} of {asked.approvals} approvals "
        f"for {recipe.environment}",
        notes=tuple(Note(text=text) for text in notes),
        help=f"approve: mlops-compile approve recipe={recipe.name} release={number} environment={recipe.environment}",
    )
