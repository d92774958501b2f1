"""`card` gives the model card of a release: as Markdown, as a page, or as data."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, print_json, write_file
from mlops_compiler.commands.predict import find_release
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import DataError, Diagnostic, Span, UsageError, mask
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.report.card import render_html, render_markdown
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release

_RUNS = 1000


def card(composed: Composed, invocation: Invocation) -> int:
    """Print the card of a release, the newest where no number is given; or write it to a file, by its suffix.

    Raises:
        UsageError: The number is none, or the file has a suffix of no known format.
        DataError: There is no such release, or its card is gone.
    """
    number = _number(next(iter(invocation.words), None))
    recipe = validate(composed)
    store = open_reader(store_location(recipe.store))
    release = find_release(store, recipe.name, number)
    told = {**_recorded(store, release)}
    told["model"] = {**told["model"], "release": release.number}
    told["operation"] = _operation(store, release)
    place = invocation.options.get("--out")
    if place is not None:
        write_file(Path(place), _written(told, place))
        results().print(f"the model card of {recipe.name} release {release.number} is in {place}", soft_wrap=True)
    elif invocation.as_json:
        print_json(told)
    else:
        sys.stdout.write(mask(render_markdown(told)))
    return DONE


def _recorded(store: StoreReader, release: Release) -> dict[str, Any]:
    """Find the card that was written last of a release: the run that made it, or a later one that explained it anew.

    Raises:
        DataError: None is kept.
    """
    for run in store.runs(release.recipe, limit=_RUNS):
        seals = {item["stage"]: item["fingerprint"] for item in run.plan}
        record = store.stage(seals.get("report", "")) if seals.get("release") == release.fingerprint else None
        if record is not None and "card" in record.outputs:
            found: dict[str, Any] = json.loads(store.objects.get(record.outputs["card"]))
            return found
    raise DataError([_no_card(release)])


def _operation(store: StoreReader, release: Release) -> dict[str, Any]:
    """Tell what became of a release since the card was written: it is looked up whenever the card is asked for."""
    from mlops_compiler.commands.releases import changes

    recipe, number = release.recipe, release.number
    return {
        "notes": release.notes,
        "changes": changes(store, release),
        "served": any(item.release == number for item in store.deployments(recipe)),
        "placements": [asdict(item) for item in store.placements(recipe) if item.release == number],
        "approvals": [asdict(item) for item in store.approvals(recipe, number)],
    }


def _written(told: dict[str, Any], place: str) -> str:
    match Path(place).suffix:
        case ".html" | ".htm":
            return render_html(told)
        case ".json":
            return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        case ".md" | ".markdown":
            return render_markdown(told)
        case suffix:
            raise UsageError([_unknown_format(place, suffix)])


def _number(word: str | None) -> int | None:
    if word is None or word.isdecimal():
        return None if word is None else int(word)
    raise UsageError(
        [
            Diagnostic(
                code="bad-argument",
                headline=f"`card` takes the number of a release, not {word!r}",
                span=Span.of_token(word),
            )
        ]
    )


def _no_card(release: Release) -> Diagnostic:
    return Diagnostic(
        code="no-card",
        headline=f"no model card of `{release.recipe}` release {release.number} is kept",
        help=f"a run writes it: mlops-compile recipe={release.recipe}",
    )


def _unknown_format(place: str, suffix: str) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"a model card is written as .md, .html or .json, not as {suffix or 'a file without a suffix'}",
        span=Span.of_token(place),
    )
