"""`releases` lists what was released and where it is; `audit` lists who did what."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, write_file
from mlops_compiler.commands.predict import find_release
from mlops_compiler.console.doings import in_words
from mlops_compiler.console.streams import results
from mlops_compiler.console.text import BAD, DIM, GOOD, STRONG, clean, grid, heading, line, row, styled
from mlops_compiler.diagnostics import Diagnostic, UsageError, mask

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release

_METRICS = 3
_LISTED = 50
_ALL = 1_000_000_000


def releases(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """List releases, or tell all of one.

    Raises:
        DataError: There is no such release.
        UsageError: One is named, and no recipe.
    """
    if invocation.words:
        return _one(store, recipe, invocation)
    names = [recipe] if recipe else sorted({item.recipe for item in store.every_release()})
    found = [_facts(store, release) for name in names for release in store.releases(name)]
    if invocation.as_json:
        invocation.print_json(found)
    elif found:
        _print_list(found)
    else:
        results().print("nothing is released yet")
    return DONE


def _one(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    word = invocation.words[0]
    if recipe is None or not word.isdecimal():
        raise UsageError([Diagnostic(code="bad-argument", headline="`releases N` needs a number, and `recipe=NAME`")])
    release = find_release(store, recipe, int(word), retired=True)
    facts = {
        **_facts(store, release),
        "notes": release.notes,
        "changes": changes(store, release),
        "audit": [asdict(entry) for entry in store.audit(recipe) if entry.release == release.number],
    }
    if invocation.as_json:
        invocation.print_json(facts)
    else:
        _print_one(facts)
    return DONE


def changes(store: StoreReader, release: Release) -> list[str]:
    """Write the notes of a release: what differs from the release before it."""
    from mlops_compiler.plan.compare.comparison import compare_runs
    from mlops_compiler.plan.compare.notes import notes

    before = store.release(release.recipe, release.number - 1)
    if before is None:
        return ["the first release"]
    runs = store.run(before.run_id), store.run(release.run_id)
    if runs[0] is None or runs[1] is None:
        return ["not compared: the run of one of the two is not recorded any more"]
    return notes(compare_runs(store, runs[0], runs[1])) or [f"the same as release {before.number} in all that is kept"]


def _facts(store: StoreReader, release: Release) -> dict[str, Any]:
    recipe, number = release.recipe, release.number
    serving = [item.environment for item in store.deployments(recipe) if item.release == number]
    end = store.retirements(recipe).get(number)
    return {
        "recipe": recipe,
        "release": number,
        "created": release.created,
        "run": release.run_id,
        "manifest": release.manifest,
        "metrics": release.metrics,
        "served": serving,
        "environments": [item.environment for item in store.placements(recipe) if item.release == number],
        "approvals": [asdict(item) for item in store.approvals(recipe, number)],
        "retired": asdict(end) if end is not None else None,
    }


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _print_list(found: list[dict[str, Any]]) -> None:
    table = grid("left", "right", "left", "text", "text")
    for facts in found:
        scores = _scores(facts, _METRICS)
        row(
            table,
            styled(facts["recipe"], STRONG),
            styled(facts["release"]),
            styled(_when(facts["created"]), DIM),
            styled(scores),
            styled(_state(facts), BAD if facts["retired"] else GOOD if facts["served"] else DIM),
        )
    results().print(table)


def _scores(facts: dict[str, Any], most: int | None = None) -> str:
    """Write the scores, those that say most of a task first."""
    from mlops_compiler.evaluation.metrics import ordered

    told = facts["metrics"]
    return ", ".join(f"{name} {told[name]:.4f}" for name in ordered(told)[:most])


def _state(facts: dict[str, Any]) -> str:
    if facts["retired"]:
        return f"retired by {facts['retired']['actor']}"
    said = [f"served in {name}" for name in facts["served"]]
    said += [f"in {name}" for name in facts["environments"] if name not in facts["served"]]
    given = len(facts["approvals"])
    said += [f"{given} approval{'s' if given > 1 else ''}"] if given else []
    return ", ".join(said)


def _print_one(facts: dict[str, Any]) -> None:
    console = results()
    line(console, (f"{clean(facts['recipe'])} release {facts['release']}", STRONG))
    table = grid("left", "text")
    told = {
        "made": f"{_when(facts['created'])} UTC, by run {facts['run']}",
        "for": facts["notes"],
        "manifest": facts["manifest"],
        "state": _state(facts),
        "retired": f"{_when(facts['retired']['time'])} UTC: {facts['retired']['notes']}" if facts["retired"] else "",
        "scores": _scores(facts),
    }
    for name, value in told.items():
        if value:
            row(table, styled(name, DIM), styled(value))
    for item in facts["approvals"]:
        words = f": {item['notes']}" if item["notes"] else ""
        row(table, styled("approved", DIM), styled(f"for {item['environment']} by {item['actor']}{words}"))
    console.print(table)
    heading(console, "Changes", "since the release before")
    for text in facts["changes"]:
        line(console, f"    {clean(text)}")
    if facts["audit"]:
        heading(console, "What was done with it")
        _print_entries(facts["audit"])


def audit(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """List who did what to what is served, the newest first; or write all of it to a file, the oldest first.

    Raises:
        UsageError: The file cannot be written, or the limit is no number.
    """
    limit, place = invocation.number("limit"), invocation.options.get("--out")
    few = _ALL if place is not None else _LISTED
    links = store.audit_links()
    entries = [
        {**asdict(entry), "hash": links.get(entry.id)} for entry in store.audit(recipe, few if limit is None else limit)
    ]
    if place is not None:
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in reversed(entries)]
        write_file(Path(place), mask("".join(lines)))
        results().print(f"{len(entries):,} entries of the audit log are in {place}", soft_wrap=True)
    elif invocation.as_json:
        invocation.print_json(entries)
    elif entries:
        _print_entries(entries)
    else:
        results().print("nothing was done yet")
    return DONE


def _print_entries(entries: list[dict[str, Any]]) -> None:
    table = grid("left", "left", "left", "text", "text")
    for entry in entries:
        number = f"release {entry['release']}" if entry["release"] is not None else ""
        where = f" in {entry['environment']}" if entry["environment"] else ""
        row(
            table,
            styled(_when(entry["time"]), DIM),
            styled(entry["actor"]),
            styled(entry["action"], STRONG),
            styled(f"{entry['recipe']} {number}{where}"),
            styled(in_words(entry["payload"], entry["release"]), DIM),
        )
    results().print(table)
