"""What must hold before a release takes its place in an environment.

Each command that puts a release in service passes here (`serving.put_in_service`). What is put back in haste needs no
approval anew, if the environment had it before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, UsageError, listing
from mlops_compiler.store.operations import actor

if TYPE_CHECKING:
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release


_ALL = 1_000_000_000
ORDER = ("development", "test", "production")
"""An environment may take the service of one that stands before it, and not of one behind it."""


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


def must_be_ours(store: StoreReader, recipe: Recipe) -> None:
    """Refuse to touch the service of a stricter environment than the recipe's.

    Raises:
        UsageError: It is one's.
    """
    serving = store.deployment(recipe.name)
    whose = serving.settings.get("environment", ORDER[0]) if serving is not None else ORDER[0]
    if ORDER.index(whose) > ORDER.index(recipe.environment):
        raise UsageError([_others(recipe, whose)])


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


def _others(recipe: Recipe, whose: str) -> Diagnostic:
    return Diagnostic(
        code="service-of-another-environment",
        headline=f"the service of `{recipe.name}` is that of {whose}, and the recipe's environment is "
        f"{recipe.environment}",
        help=f"say so where you mean it: environment={whose}",
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
