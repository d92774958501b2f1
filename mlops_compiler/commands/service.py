"""`deploy`, `undeploy`, `status` and `logs` manage what is served; any process that has the store can."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, ENGINE
from mlops_compiler.commands.keys import first_key
from mlops_compiler.commands.notices import Notices
from mlops_compiler.commands.predict import find_release
from mlops_compiler.commands.serving import put_in_service
from mlops_compiler.console.history import DeploymentView, print_status
from mlops_compiler.console.streams import messages, results, say
from mlops_compiler.diagnostics import Diagnostic, EngineError, UsageError, listing
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.store.operations import actor
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import ENVIRONMENTS

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Deployment

_LINES = 50


def deploy(composed: Composed, invocation: Invocation) -> int:
    """Serve a release, the newest where none is named, and say how to ask it.

    Raises:
        DataError: There is no such release.
        UsageError: The port or the route is taken, or the cluster is too small.
        EngineError: The release does not come up, or answers otherwise than a batch; what was served before stays.
    """
    recipe = validate(composed)
    store = open_reader(store_location(recipe.store))
    release = find_release(store, recipe.name, invocation.number("release"))
    notices, before = Notices.of(composed, invocation, "rollout"), store.deployment(recipe.name, recipe.environment)
    with (
        messages().status(f"deploying {recipe.name} release {release.number} in {recipe.environment}"),
        notices.of_rollback(release.number, before.release if before is not None else None),
    ):
        deployment = put_in_service(recipe, release, said=say)
    example = json.loads(store.objects.get(release.manifest))["example"]
    whose = recipe.name, recipe.environment
    key = first_key(whose, store_location(recipe.store)) if recipe.deploy.auth == "api_key" else None
    if invocation.as_json:
        invocation.print_json({**_facts(deployment), "example": example, **({"key": key} if key else {})})
    else:
        _print_deployed(deployment, example)
        if key:
            results().print(f"\nits first API key, shown this once: {key}", soft_wrap=True, highlight=False)
    return DONE


def _facts(deployment: Deployment) -> dict[str, Any]:
    return {**asdict(deployment), "url": deployment.settings["url"]}


def _print_deployed(deployment: Deployment, example: dict[str, Any]) -> None:
    console, url = results(), deployment.settings["url"]
    named = f"recipe={deployment.recipe}" if deployment.environment == ENVIRONMENTS[0] else deployment.words
    shows = " -H 'X-API-Key: KEY'" if deployment.settings["spec"]["settings"].get("auth") else ""
    where = f"in {deployment.environment}, at {url}"
    console.print(f"{deployment.recipe} release {deployment.release} is served {where}\n", soft_wrap=True)
    console.print(
        f"ask it     curl -s {url}{shows} -H 'content-type: application/json' -d {shlex.quote(json.dumps(example))}",
        soft_wrap=True,
    )
    console.print(f"see it     mlops-compile status recipe={deployment.recipe}")
    console.print(f"read it    mlops-compile logs {named}")
    console.print(f"end it     mlops-compile undeploy {named}")


def undeploy(composed: Composed, invocation: Invocation) -> int:
    """End the service of a recipe in its environment, after its requests are answered.

    Raises:
        UsageError: The recipe is not deployed there.
        EngineError: The cluster that serves it cannot be joined.
    """
    from mlops_compiler.backends.ray.service import undeploy as end
    from mlops_compiler.store.writer import open_writer

    recipe = validate(composed)
    location = store_location(recipe.store)
    store = open_reader(location)
    deployment = deployed(store, recipe)
    with messages().status(f"ending the service of {deployment.named}"):
        engine = end(deployment)
    writer = open_writer(location)
    writer.remove_deployment(recipe.name, recipe.environment)
    writer.add_audit(
        actor=actor(),
        action="undeploy",
        recipe=recipe.name,
        release=deployment.release,
        environment=recipe.environment,
        payload={"engine": engine},
    )
    if invocation.as_json:
        told = {"recipe": recipe.name, "environment": recipe.environment}
        invocation.print_json({**told, "release": deployment.release, "engine": engine})
    else:
        said = {
            "stopped": "and its engine has ended",
            "running": "and its engine serves on",
            "gone": "it was gone already",
        }
        where = f"in {recipe.environment}"
        results().print(f"{recipe.name} release {deployment.release} is served no longer {where}; {said[engine]}")
    return DONE


def logs(composed: Composed, invocation: Invocation) -> int:
    """Print the last lines that the replicas of a service wrote.

    Raises:
        UsageError: The recipe is not deployed.
        EngineError: The logs are not on this machine.
    """
    from mlops_compiler.backends.ray.service import service_logs

    recipe = validate(composed)
    deployment = deployed(open_reader(store_location(recipe.store)), recipe)
    wanted = invocation.number("lines")
    lines = list(service_logs(deployment, _LINES if wanted is None else wanted))
    if invocation.as_json:
        invocation.print_json(lines)
    else:
        for line in lines:
            results().print(line, soft_wrap=True)
    return DONE


def status(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """Say what is served and how it is; 3 where something that should be served is not healthy."""
    states = [(item, state_of_service(item)) for item in store.deployments(recipe)]
    if invocation.as_json:
        invocation.print_json([{**_facts(item), **state} for item, state in states])
    else:
        views = [
            DeploymentView(
                deployment=item,
                state=state["status"],
                replicas=state["replicas"],
                detail=state.get("message", ""),
            )
            for item, state in states
        ]
        print_status(views, results())
    return DONE if all(state["status"] in ("healthy", "starting") for _, state in states) else ENGINE


def state_of_service(deployment: Deployment) -> dict[str, Any]:
    """Ask how one service is; that it cannot be asked is the answer for this one, and hides no other."""
    from mlops_compiler.backends.ray.service import service_state

    try:
        return service_state(deployment)
    except EngineError as error:
        return {"status": "unhealthy", "replicas": 0, "message": error.diagnostics[0].headline}


def deployed(store: StoreReader, recipe: Recipe) -> Deployment:
    """Find the deployment of a recipe in its environment.

    Raises:
        UsageError: It has none.
    """
    if (found := store.deployment(recipe.name, recipe.environment)) is not None:
        return found
    others = [item.named for item in store.deployments()]
    raise UsageError(
        [
            Diagnostic(
                code="not-deployed",
                headline=f"`{recipe.name}` is not deployed in {recipe.environment}",
                help=f"deployed are {listing(others)}"
                if others
                else f"deploy it: mlops-compile deploy recipe={recipe.name} environment={recipe.environment}",
            )
        ]
    )
