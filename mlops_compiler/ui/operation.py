"""What comes after a run, as parts of the lifecycle: what is served, what is watched, what is fed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ui.lifecycle import Part

if TYPE_CHECKING:
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.ui.services import Answer

_STATES = {"quiet": "live", "noticed": "live", "alert": "alert", "blind": "idle"}


def after_the_run(store: StoreReader, recipe: str, answer: Answer | None) -> list[Part]:
    """Give the service, the monitoring and the feedback of a recipe as they are."""
    return [_service(store, recipe, answer), _monitor(store, recipe)]


def _service(store: StoreReader, recipe: str, answer: Answer | None) -> Part:
    deployment = store.deployment(recipe)
    if deployment is None:
        return Part(name="deploy", state="idle", told="not served")
    well = answer is not None and answer.well
    told = f"release {deployment.release}"
    detail = f"{answer.told if answer else 'unknown'} at {deployment.settings.get('url', '')}"
    return Part(name="deploy", state="live" if well else "failed", told=told, detail=detail)


def _monitor(store: StoreReader, recipe: str) -> Part:
    check = next(iter(store.check_states(recipe, limit=1)), None)
    if check is None:
        return Part(name="monitor", state="idle", told="no check yet")
    return Part(name="monitor", state=_STATES.get(check.status, "live"), told=check.status)
