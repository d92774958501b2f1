"""What comes after a run, as parts of the lifecycle: what is served, what is watched, what is fed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ui.lifecycle import Part

if TYPE_CHECKING:
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Deployment
    from mlops_compiler.ui.services import Answer

_STATES = {"quiet": "live", "noticed": "live", "alert": "alert", "blind": "idle"}


def after_the_run(store: StoreReader, recipe: str, environment: str, answer: Answer | None) -> list[Part]:
    """Give the service and the monitoring of a recipe in an environment as they are."""
    return [_service(store.deployment(recipe, environment), answer), _monitor(store, recipe, environment)]


def _service(deployment: Deployment | None, answer: Answer | None) -> Part:
    if deployment is None:
        return Part(name="deploy", state="idle", told="not served")
    well = answer is not None and answer.well
    told = f"release {deployment.release} in {deployment.environment}"
    detail = f"{answer.told if answer else 'unknown'} at {deployment.settings.get('url', '')}"
    return Part(name="deploy", state="live" if well else "failed", told=told, detail=detail)


def _monitor(store: StoreReader, recipe: str, environment: str) -> Part:
    check = next(iter(store.check_states(recipe, environment, limit=1)), None)
    if check is None:
        return Part(name="monitor", state="idle", told="no check yet")
    return Part(name="monitor", state=_STATES.get(check.status, "live"), told=check.status)
