"""`labels` takes in outcomes of served predictions from a table, and tells how many are known by now."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.commands.predict import find_release
from mlops_compiler.console.streams import results
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import service_name

if TYPE_CHECKING:
    import polars as pl

    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe


def labels(composed: Composed, invocation: Invocation) -> int:
    """Take in what is new of the recipe's outcomes, or of a file's; without either, only tell what is known.

    Raises:
        DataError: There is no release yet, the table cannot be read, or holds what is no outcome.
        EngineError: The store cannot be written.
    """
    from mlops_compiler.monitoring.observed import joined
    from mlops_compiler.monitoring.taken import take

    recipe = validate(composed)
    location = store_location(recipe.store)
    store = open_reader(location)
    manifest = json.loads(store.objects.get(find_release(store, recipe.name, None).manifest))
    service = service_name(recipe.name, recipe.environment)
    facts: dict[str, Any] = {"recipe": recipe.name, "environment": recipe.environment}
    if (given := _table(recipe, composed.root, invocation.arguments.get("input"))) is not None:
        table, key, source = given
        facts |= {
            "source": source,
            **asdict(take(location, manifest, service, table, key=key, source=source)),
        }
    answered = joined(location, service)
    facts |= {"predictions": answered.height, "labelled": answered["outcome"].count()}
    if invocation.as_json:
        invocation.print_json(facts)
    else:
        results().print(_told(facts), soft_wrap=True)
    return DONE


def _table(recipe: Recipe, root: Path, path: str | None) -> tuple[pl.DataFrame, str, str] | None:
    """Read the outcomes; gives them, the column of the key, and what is written down as their source."""
    from mlops_compiler.analysis.source import read_of
    from mlops_compiler.serving.files import input_format, read_rows
    from mlops_compiler.tables.table import must_be_here, rows

    wanted = recipe.feedback.labels if recipe.feedback is not None else None
    key = wanted.key if wanted is not None else recipe.data.key or "id"
    if path is not None:
        form = input_format(Path(path))
        source = {"null_values": ["", "NA"]} if form == "csv" else {}
        return read_rows(Path(path), form, source), key, f"file:{Path(path).name}"
    if wanted is None:
        return None
    read = read_of(wanted.source)
    must_be_here(read, root)
    return rows(read, root), key, f"file:{read.path}" if read.kind != "postgresql" else read.kind


def _told(facts: dict[str, Any]) -> str:
    known = f"{facts['labelled']:,} of {facts['predictions']:,} predictions in {facts['environment']} have an outcome"
    if "new" not in facts:
        return f"{facts['recipe']}: {known}"
    counts = {
        "new": facts["new"],
        "known before": facts["known"],
        "too late, as another was told before": facts["contradicting"],
        "without a prediction yet": facts["unmatched"],
        "without an outcome": facts["empty"],
    }
    parts = [f"{count:,} {what}" for what, count in counts.items() if count or what == "new"]
    return f"{facts['recipe']}: {facts['rows']:,} rows of {facts['source']}: {', '.join(parts)}; {known}"
