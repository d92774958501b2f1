"""`verify` sends rows through the service that runs, and says whether it answers as it does offline, and how right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, ENGINE
from mlops_compiler.commands.predict import find_release
from mlops_compiler.commands.service import deployed
from mlops_compiler.console.streams import messages, results
from mlops_compiler.console.verify_view import print_verified
from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.serving.replay import Held
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release


def verify(composed: Composed, invocation: Invocation) -> int:
    """Replay the holdout of the release that is served, or the rows of a file; 3 where a bit differs.

    Raises:
        UsageError: The recipe is not deployed.
        DataError: The file breaks the contract, or the store keeps no holdout.
        EngineError: The service does not answer.
    """
    from mlops_compiler.backends.ray.passing import key_for
    from mlops_compiler.backends.ray.serve_verify import endpoint
    from mlops_compiler.serving.correctness import correctness
    from mlops_compiler.serving.replay import replay

    recipe = validate(composed)
    store = open_reader(store_location(recipe.store))
    deployment = deployed(store, recipe)
    release = find_release(store, recipe.name, deployment.release)
    manifest = json.loads(store.objects.get(release.manifest))
    held = _rows(recipe, composed.root, store, release, invocation)
    key = key_for(deployment, store.location)
    service = endpoint(deployment.host, deployment.port, deployment.route, deployment.address, key)
    with messages().status(f"sending {held.rows.height:,} rows to {service.url}"):
        found = replay(held, service.score)
    right = correctness(held, found.answers, manifest, recipe.objective.metric)
    about = {"recipe": recipe.name, "environment": recipe.environment, "release": release.number}
    told = {**about, **found.to_json(), "correctness": right}
    if invocation.as_json:
        invocation.print_json(told)
    else:
        print_verified(told, results())
    return ENGINE if found.differing else DONE


def _rows(recipe: Recipe, root: Path, store: StoreReader, release: Release, invocation: Invocation) -> Held:
    from mlops_compiler.serving.replay import held_out

    asked = invocation.number("rows")
    if (name := invocation.arguments.get("input")) is not None:
        return _of_file(recipe, Path(name), root, store, release).spread(asked)
    most = recipe.verify.rows if asked is None else asked
    if (found := held_out(store, release, most, recipe.data.time)) is None:
        raise DataError([_no_holdout(release)])
    return found


def _of_file(recipe: Recipe, source: Path, root: Path, store: StoreReader, release: Release) -> Held:
    """Read the rows of a file, and score them here: as the batch does."""
    from mlops_compiler.serving.assembly import Assembly
    from mlops_compiler.serving.batch import read_file
    from mlops_compiler.serving.correctness import outcomes
    from mlops_compiler.serving.predictor import Predictor
    from mlops_compiler.serving.replay import Held

    predictor = Predictor.load(store, release.manifest)
    manifest = predictor.manifest
    whole, typed = read_file(manifest, source, Assembly(manifest=manifest, root=root, store=store))
    target, time = manifest.get("target"), recipe.data.time
    expected: list[dict[str, Any]] = predictor.predict(typed).to_dicts()
    return Held(
        places=range(typed.height),
        rows=typed,
        expected=expected,
        source=source.name,
        outcome=outcomes(whole[target], manifest) if target in whole.columns else None,
        time=_times(whole, time),
    )


def _times(rows: Any, column: str | None) -> Any:
    """Read when rows were; of a CSV file that is still text."""
    import polars as pl

    if column is None or column not in rows.columns:
        return None
    values = rows[column]
    if values.dtype != pl.String:
        return values
    try:
        return values.str.to_datetime(strict=False, time_unit="us")
    except pl.exceptions.PolarsError:  # no format fits: the rows are in no order of time
        return None


def _no_holdout(release: Release) -> Diagnostic:
    return Diagnostic(
        code="no-holdout",
        headline=f"the store keeps no holdout of `{release.recipe}` release {release.number} to replay",
        help=f"replay a file: mlops-compile verify recipe={release.recipe} input=FILE",
    )
