"""`data` tells of the versions of a recipe's data, proves them whole, copies them and brings them back."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, REJECTED
from mlops_compiler.commands.keeping import back_up
from mlops_compiler.commands.quarantine import quarantine
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.console import data_view
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import DataError, Diagnostic, Span, UsageError, did_you_mean, listing
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.plan.compare.tables import compare_tables
from mlops_compiler.store.backup import Backup, is_whole
from mlops_compiler.store.intakes import intake_of
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.versions import find_version, versions
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.versions import Version


def data(composed: Composed, invocation: Invocation) -> int:
    """Run ``data list``, ``show [N]``, ``diff [A] [B]``, ``quarantine``, ``verify``, ``archive`` or ``restore``.

    Raises:
        UsageError: There is no such word, or a version that is no number.
        DataError: There is no such version.
        EngineError: The store or a backup cannot be read or written.
    """
    name, *words = invocation.words or ("list",)
    if name == "quarantine":
        return quarantine(composed, invocation)
    if name not in _ACTIONS:
        raise UsageError([_unknown(name)])
    recipe = validate(composed)
    return _ACTIONS[name](
        recipe, open_reader(store_location(recipe.store)), [_number(word) for word in words], invocation
    )


def _list(recipe: Recipe, store: StoreReader, _numbers: list[int], invocation: Invocation) -> int:
    rows = [_row(version, store) for version in versions(store, recipe.name)]
    if invocation.as_json:
        invocation.print_json(rows)
    else:
        data_view.print_versions(recipe.name, rows, results())
    return DONE


def _row(version: Version, store: StoreReader) -> dict[str, Any]:
    summary, retention = version.record.summary, version.about.get("retention")
    return {
        "version": version.number,
        "taken": version.record.started,
        "rows": summary["rows"],
        "columns": summary["columns"],
        "source": summary["source"],
        "snapshot": version.digest,
        "here": store.objects.exists(version.digest),
        "intake": _intake(version, store),
        "expired": retention is not None and time.time() - version.record.started > retention,
    }


def _intake(version: Version, store: StoreReader) -> dict[str, Any] | None:
    """Find what the intake took that made a version; None where the source was taken as a whole."""
    record = intake_of(store, version.record)
    return None if record is None else {"number": record.ingredients["number"], **record.summary}


def _show(recipe: Recipe, store: StoreReader, numbers: list[int], invocation: Invocation) -> int:
    version = find_version(store, recipe.name, numbers[0] if numbers else None)
    types = {
        key.removeprefix("data.columns.").removesuffix(".type"): value
        for key, value in version.record.ingredients.items()
        if key.startswith("data.columns.") and key.endswith(".type")
    }
    nulls = version.record.summary.get("nulls", {})
    told = {
        **_row(version, store),
        **version.about,
        "lost": version.record.summary.get("lost", {}),
        "left_out": version.record.summary.get("left_out", 0),
        "joins": version.record.summary.get("joins", []),
        "contract": [{"column": name, "type": kind, "missing": nulls.get(name, 0)} for name, kind in types.items()],
    }
    if invocation.as_json:
        invocation.print_json(told)
    else:
        data_view.print_version(recipe.name, told, results())
    return DONE


def _diff(recipe: Recipe, store: StoreReader, numbers: list[int], invocation: Invocation) -> int:
    known = versions(store, recipe.name)
    first, second = [*numbers, len(known)][:2] if numbers else (len(known) - 1, len(known))
    before, after = (find_version(store, recipe.name, number) for number in (first, second))
    found = compare_tables(before.record, after.record, store)
    if invocation.as_json:
        invocation.print_json({"before": before.number, "after": after.number, **asdict(found)})
    else:
        data_view.print_difference(before.number, after.number, found, results())
    return DONE


def _verify(recipe: Recipe, store: StoreReader, _numbers: list[int], invocation: Invocation) -> int:
    """Hash every version anew, here and in each backup."""
    places = [("store", store.objects), *((url, Backup(url).objects) for url in recipe.data.snapshot.backups)]
    rows = [
        {
            "version": version.number,
            "place": place,
            "snapshot": version.digest,
            "state": _state(objects, version.digest),
        }
        for version in versions(store, recipe.name)
        for place, objects in places
    ]
    if invocation.as_json:
        invocation.print_json(rows)
    else:
        data_view.print_states(recipe.name, rows, results())
    return DONE if all(row["state"] == "whole" for row in rows) else REJECTED


def _state(objects: Any, digest: str) -> str:
    if not objects.exists(digest):
        return "missing"
    return "whole" if is_whole(objects, digest) else "damaged"


def _archive(recipe: Recipe, store: StoreReader, numbers: list[int], invocation: Invocation) -> int:
    """Copy versions to each backup that lacks them."""
    if not recipe.data.snapshot.backups:
        raise UsageError([_no_backup()])
    chosen = [version for version in versions(store, recipe.name) if not numbers or version.number in numbers]
    made, failed = dict[int, list[str]](), list[Diagnostic]()
    for version in chosen:
        made[version.number], wrong = back_up(recipe, store, version.record, None)
        failed += wrong
    if invocation.as_json:
        invocation.print_json({"copied": made, "failed": len(failed)})
    else:
        data_view.print_copies(recipe.name, made, results())
    tell_beside(failed, invocation.style)
    return REJECTED if failed else DONE


def _restore(recipe: Recipe, _store: StoreReader, _numbers: list[int], invocation: Invocation) -> int:
    """Bring back what the store lacks, from the first backup that has it whole."""
    if not recipe.data.snapshot.backups:
        raise UsageError([_no_backup()])
    store = open_writer(store_location(recipe.store))
    back = list[str]()
    for backup in map(Backup, recipe.data.snapshot.backups):
        for record in backup.records(recipe.name):
            if backup.is_whole(record) and backup.restore(record, store):
                back.append(record.outputs["snapshot"])
    lost = [version for version in versions(store, recipe.name) if not is_whole(store.objects, version.digest)]
    if invocation.as_json:
        invocation.print_json({"restored": back, "lost": [version.number for version in lost]})
    else:
        data_view.print_restored(recipe.name, len(back), results())
    if lost:
        raise DataError([_still_lost(lost)])
    return DONE


_ACTIONS: dict[str, Callable[[Recipe, StoreReader, list[int], Invocation], int]] = {
    "list": _list,
    "show": _show,
    "diff": _diff,
    "verify": _verify,
    "archive": _archive,
    "restore": _restore,
}


def _number(word: str) -> int:
    if not word.isdecimal():
        raise UsageError(
            [Diagnostic(code="bad-argument", headline=f"a version is a number, not {word!r}", span=Span.of_token(word))]
        )
    return int(word)


def _unknown(name: str) -> Diagnostic:
    words = [*_ACTIONS, "quarantine"]
    return Diagnostic(
        code="bad-argument",
        headline=f"`data` has no word `{name}`",
        span=Span.of_token(name),
        help=did_you_mean(name, words) or f"those are: {listing(words)}",
    )


def _no_backup() -> Diagnostic:
    return Diagnostic(
        code="no-backup",
        headline="the recipe names no place for copies",
        help="name one: data.snapshot.backups=[/mnt/backup]",
    )


def _still_lost(lost: list[Version]) -> Diagnostic:
    return Diagnostic(
        code="artifact-missing",
        headline=f"no backup has version {listing([str(version.number) for version in lost])} whole",
        help="take the data in anew, where their source still has them",
    )
