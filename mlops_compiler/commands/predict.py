"""`predict` scores a file with a release: the same fitted program as the service, without Ray."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import DataError, Diagnostic, Span, UsageError, listing
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release


def predict(composed: Composed, invocation: Invocation) -> int:
    """Score a file in batch.

    Raises:
        UsageError: `input=` or `output=` is missing, or `explain=` or `partial=` is neither true nor false.
        DataError: The file breaks the request's contract, there is no such release, or it cannot be explained.
    """
    from mlops_compiler.serving.assembly import Assembly
    from mlops_compiler.serving.batch import predict_file
    from mlops_compiler.serving.explaining import explainer_of
    from mlops_compiler.serving.predictor import Predictor

    example = "recipe=churn input=customers.csv output=scores.csv"
    source, target = invocation.required("input", example), invocation.required("output", example)
    recipe = validate(composed)
    store = open_reader(store_location(recipe.store))
    release = find_release(store, recipe.name, invocation.number("release"))
    manifest = json.loads(store.objects.get(release.manifest))
    assembly = Assembly(manifest=manifest, root=composed.root, store=store)
    predictor = Predictor.load(store, release.manifest)
    explainer = explainer_of(predictor, store) if _asked(invocation, "explain") else None
    partial = _asked(invocation, "partial")
    data = predict_file(predictor, Path(source), Path(target), assembly, explainer, partial=partial).to_json()
    if invocation.as_json:
        invocation.print_json({"recipe": recipe.name, "release": release.number, **data})
    else:
        told = [
            f"{data['rows'] - data.get('refused', 0):,} rows scored to {target}",
            *map(_joined, data.get("joins", ())),
        ]
        if "refused" in data:
            told.append(f"{data['refused']:,} refused, as column `refused` says")
        results().print(f"{recipe.name} release {release.number}: {'; '.join(told)}", soft_wrap=True)
    return DONE


def _joined(join: Mapping[str, Any]) -> str:
    return f"join {join['join']} matched {join['matched']:,} of {join['matched'] + join['unmatched']:,}"


def _asked(invocation: Invocation, name: str) -> bool:
    """Read a word that is true or false, and false where it is not given."""
    text = invocation.arguments.get(name, "false")
    if text not in ("true", "false"):
        headline = f"`{name}` takes true or false, not {text!r}"
        raise UsageError([Diagnostic(code="bad-argument", headline=headline, span=Span.of_token(f"{name}={text}"))])
    return text == "true"


def find_release(store: StoreReader, recipe: str, number: int | None, *, retired: bool = False) -> Release:
    """Find a release, the newest where no number is given.

    Args:
        store: What is recorded.
        recipe: Whose.
        number: Which.
        retired: Whether one that was retired is taken, too.

    Raises:
        DataError: There is none, none of that number, or it was retired.
    """
    gone = {} if retired else store.retirements(recipe)
    known = store.releases(recipe)
    living = [item for item in known if item.number not in gone]
    if (found := next((item for item in living if number in (None, item.number)), None)) is not None:
        return found
    if number in gone:
        from mlops_compiler.commands.promotion import retired_diagnostic

        raise DataError([retired_diagnostic(store, recipe, int(number or 0))])
    numbers = [str(item.number) for item in living]
    headline = f"`{recipe}` has no release {number}" if numbers else f"`{recipe}` has no release yet"
    mend = f"there are {listing(numbers)}" if numbers else f"make one: mlops-compile recipe={recipe}"
    raise DataError([Diagnostic(code="unknown-release", headline=headline, help=mend)])
