"""What is told of a store that was examined: each thing as a finding, for `doctor` and for the dashboard."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_compiler.console.doctor_view import Finding
from mlops_compiler.store.audit_chain import examine
from mlops_compiler.store.health import Fault, Repair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Deployment

T = TypeVar("T", Fault, Repair)
_LITTLE = 1 << 30
"""Bytes that should be free."""
_MANY = 1_000_000_000
_SHOWN = 5


def of_metadata(store: StoreReader) -> Finding:
    """Tell what the database finds of itself."""
    told = store.faults()
    if not told:
        return Finding(what="metadata", state="well", told="the database finds nothing wrong with itself")
    return Finding(
        what="metadata",
        state="wrong",
        told=told[0],
        mend=f"restore {store.location.sqlite or 'the database'} from a copy",
    )


def of_artifacts(count: int, found: list[Fault]) -> Finding:
    """Count the artifacts that were hashed anew, and those that are not what their names say."""
    if not found:
        return Finding(what="artifacts", state="well", told=f"{count:,} hashed anew, each has the content of its name")
    counts = {state: sum(item.state == state for item in found) for state in ("damaged", "missing")}
    told = " and ".join(f"{number:,} {state}" for state, number in counts.items() if number)
    return Finding(what="artifacts", state="note", told=f"{count:,} hashed anew: {told}")


def _alike(found: Iterable[T], what: Callable[[T], str]) -> Iterator[tuple[str, list[T]]]:
    """Put predictions of folds together that came to the same; each other artifact stands alone."""
    folds: dict[str, list[T]] = {}
    for item in found:
        if _fault_of(item).recipe is None:
            folds.setdefault(what(item), []).append(item)
        else:
            yield what(item), [item]
    yield from folds.items()


def of_faults(found: Iterable[Fault]) -> Iterator[Finding]:
    """Tell each artifact that is not what its name says, and what brings it back."""
    yield from (_wrong(state, items) for state, items in _alike(found, lambda item: item.state))


def of_repairs(found: Iterable[Repair]) -> Iterator[Finding]:
    """Tell what became of each."""
    yield from (_mended(outcome, items) for outcome, items in _alike(found, lambda item: item.outcome))


def _wrong(state: str, items: list[Fault]) -> Finding:
    if items[0].lasts:
        mend = "bring it back: mlops-compile doctor --repair --from PLACE"
    elif state == "missing" and items[0].recipe:
        mend = _again(items[0])
    else:
        mend = f"clear it away: mlops-compile doctor --repair; then {_again(items[0])}"
    return Finding(what=state, state="wrong", told=_told(items), mend=mend)


def _mended(outcome: str, items: list[Repair]) -> Finding:
    faults = [item.fault for item in items]
    match outcome:
        case "restored":
            return Finding(what=outcome, state="well", told=_told(faults))
        case "removed":
            return Finding(what=outcome, state="note", told=_told(faults), mend=_again(faults[0]))
        case _:
            mend = "name a place that has it: mlops-compile doctor --repair --from PLACE; or take the data in anew"
            return Finding(what=outcome, state="wrong", told=_told(faults), mend=mend)


def _fault_of(item: Fault | Repair) -> Fault:
    return item.fault if isinstance(item, Repair) else item


def _told(items: list[Fault]) -> str:
    if len(items) > 1:
        return f"the predictions of {len(items):,} folds"
    names = list(dict.fromkeys(map(str, items[0].users)))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{items[0].digest[:12]}, {', '.join(names[:_SHOWN])}{more}"


def _again(item: Fault) -> str:
    if item.recipe is None:
        return "the next search that asks for it fits it again"
    return f"a run makes it again: mlops-compile recipe={item.recipe}"


def of_runs(store: StoreReader) -> Iterator[Finding]:
    """Tell of runs whose process ended without saying so."""
    lost = [run for run in store.runs(limit=_MANY) if run.status == "lost"]
    if lost:
        yield Finding(
            what="runs",
            state="note",
            told=f"{len(lost)} ended without a word, the last of them {lost[0].run_id}",
            mend=f"go on with it: mlops-compile recipe={lost[0].recipe}",
        )


def of_service(deployment: Deployment, state: Mapping[str, Any]) -> Finding:
    """Tell how a service is."""
    named, status = (
        f"{deployment.recipe} release {deployment.release} in {deployment.environment}",
        str(state["status"]),
    )
    if status in ("healthy", "starting"):
        return Finding(what="service", state="well", told=f"{named} is {status} at {deployment.settings['url']}")
    why = f": {state['message']}" if state.get("message") else ""
    return Finding(
        what="service",
        state="wrong",
        told=f"{named} is {status}{why}",
        mend=f"serve it anew: mlops-compile deploy {deployment.words} release={deployment.release}",
    )


def of_audit(store: StoreReader) -> Iterator[Finding]:
    """Tell whether the audit log is as it was written; nothing where nobody did anything yet."""
    found = examine(store.audit(limit=_MANY), store.audit_links())
    if found.broken:
        more = f", and {len(found.broken) - 1} more" if len(found.broken) > 1 else ""
        mend = "compare it with what was exported before: mlops-compile audit --out FILE"
        yield Finding(what="audit log", state="wrong", told=f"{found.broken[0]}{more}", mend=mend)
    elif found.linked:
        yield Finding(what="audit log", state="well", told=f"{found.linked:,} entries, each follows the one before it")
    if found.older:
        told = f"{found.older:,} entries have no hash: nothing shows whether they are as they were written"
        yield Finding(what="audit log", state="note", told=told)


def of_space(store: StoreReader) -> Iterator[Finding]:
    """Tell what is free on the disk of a store that is a folder."""
    folder = store.location.folder
    if folder is None or not folder.exists():
        return
    free = shutil.disk_usage(folder).free
    told = f"{free / (1 << 30):,.1f} GiB are free at {folder}"
    if free < _LITTLE:
        yield Finding(what="space", state="note", told=told, mend="free some: a run that finds none ends")
    else:
        yield Finding(what="space", state="well", told=told)
