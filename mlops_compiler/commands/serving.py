"""Puts a release in service as the recipe says, for every command that does: recorded, and noted down who did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.commands.gates import must_be_allowed, must_have_been_here, must_have_its_route
from mlops_compiler.commands.predict import find_release
from mlops_compiler.diagnostics import EngineError
from mlops_compiler.driver import store_location
from mlops_compiler.recipe.amounts import parse_comparison
from mlops_compiler.serving.guard import Limits
from mlops_compiler.serving.prediction_log import LogSettings
from mlops_compiler.serving.rollout import Limits as RolloutLimits
from mlops_compiler.serving.rollout import Rollout
from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.store.operations import Placement, actor
from mlops_compiler.store.reader import open_reader

TAKEN_BACK = "release-taken-back"

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.backends.ray.service import ServiceTarget
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.records import Deployment, Release


def put_in_service(
    recipe: Recipe, release: Release, *, at_once: bool = False, said: Callable[[str], None] = lambda _: None
) -> Deployment:
    """Serve a release in the place of the one that the recipe's environment serves, and record it.

    Args:
        recipe: Says where and how.
        release: What.
        at_once: Whether to leave out the rollout and what is tried before: a release is put back in haste. What
            `promotion` asks is left out, too, where the environment had it before.
        said: Is told in a sentence how it goes on.

    Raises:
        DataError: The release lacks what `promotion` asks, or does not go together with what its clients know.
        UsageError: The port or the route is taken, or the cluster is too small.
        EngineError: The release does not come up, answers otherwise than it did offline, or was taken back.
    """
    store = open_reader(store_location(recipe.store))
    must_have_its_route(store, recipe)
    (must_have_been_here if at_once else must_be_allowed)(store, recipe, release)
    if (back := None if at_once else _way_back(recipe)) is not None:
        must_have_been_here(store, recipe, back)
    try:
        return _serve(recipe, release, target_of(recipe, at_once=at_once), said)
    except EngineError as error:
        if back is not None and error.diagnostics[0].code == TAKEN_BACK:
            said(f"release {back.number} takes the place, as `deploy.rollout.roll_back_to` says")
            _serve(recipe, back, target_of(recipe, at_once=True), said)
        raise


def _serve(recipe: Recipe, release: Release, target: ServiceTarget, said: Callable[[str], None]) -> Deployment:
    """Serve a release, record that, and note down who did it."""
    from mlops_compiler.backends.ray.service import deploy
    from mlops_compiler.store.writer import open_writer

    location = store_location(recipe.store)
    before = open_reader(location).deployment(recipe.name, recipe.environment)
    deployment = deploy(location, target, release, said=said)
    writer = open_writer(location)
    writer.record_deployment(deployment)
    who = actor()
    placed = Placement(
        recipe=recipe.name,
        environment=recipe.environment,
        release=release.number,
        actor=who,
        time=deployment.created,
    )
    writer.place(placed)
    writer.add_audit(
        actor=who,
        action="deploy",
        recipe=recipe.name,
        release=release.number,
        environment=recipe.environment,
        payload={
            "before": before.release if before is not None else None,
            "rollout": target.rollout.kind,
            "url": url_of(deployment),
        },
    )
    return deployment


def _way_back(recipe: Recipe) -> Release | None:
    """Find the release to return to, where that is another one than the one in place.

    Raises:
        DataError: There is no such release.
    """
    number = recipe.deploy.rollout.roll_back_to
    if number == "previous":
        return None
    store = open_reader(store_location(recipe.store))
    before = store.deployment(recipe.name, recipe.environment)
    wanted = find_release(store, recipe.name, number)
    return None if before is None or before.release == wanted.number else wanted


def url_of(deployment: Deployment) -> str:
    """Say where a deployment answers."""
    return str(deployment.settings["url"])


def target_of(recipe: Recipe, *, at_once: bool = False) -> ServiceTarget:
    """Say where and how a recipe has its releases served."""
    from mlops_compiler.backends.ray.serve_app import Sizing
    from mlops_compiler.backends.ray.service import ServiceTarget

    replicas = recipe.deploy.replicas
    return ServiceTarget(
        route=recipe.deploy.route,
        host=recipe.deploy.host,
        port=recipe.deploy.port,
        replicas=(replicas.min, replicas.max),
        sizing=Sizing(**replicas.model_dump(exclude={"min", "max", "drain"}), drain=recipe.deploy.drain),
        address=recipe.cluster.address,
        cpus=recipe.cluster.cpus,
        rollout=Rollout() if at_once else rollout_of(recipe),
        settings=settings_of(recipe),
        proxy=recipe.deploy.proxy,
        environment=recipe.environment,
    )


def settings_of(recipe: Recipe) -> ServiceSettings:
    """Read how a service behaves around its release."""
    deploy = recipe.deploy
    limits = Limits(rate=deploy.rate_limit, **deploy.limits.model_dump())
    log = None
    if (kept := deploy.log) is not None:
        log = LogSettings(sample=kept.sample, exclude=kept.exclude, keep=kept.keep)
    return ServiceSettings(auth=deploy.auth == "api_key", limits=limits, log=log)


def rollout_of(recipe: Recipe) -> Rollout:
    """Read how traffic passes to a release, and what it must show before."""
    asked, verify = recipe.deploy.rollout, recipe.verify
    return Rollout(
        kind=asked.kind,
        steps=asked.steps,
        hold=asked.hold,
        min_requests=asked.min_requests,
        limits=_limits(recipe),
        shadow=verify.shadow == "previous",
        replay=verify.rows if verify.replay == "holdout" else 0,
        compatible=verify.compatible,
        tolerance=verify.tolerance,
    )


def _limits(recipe: Recipe) -> RolloutLimits:
    asked = recipe.deploy.rollout.roll_back_if
    if asked is None:
        return RolloutLimits()
    return RolloutLimits(
        error_rate=_share(asked.error_rate), latency_p99=asked.latency_p99, disagreement=_share(asked.disagreement)
    )


def _share(bound: str | None) -> float | None:
    return None if bound is None else parse_comparison(bound).limit
