"""`explore` looks at the data of a recipe: findings in the terminal, a page, and facts that the plan cites."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.analysis.history import late_history
from mlops_compiler.commands.base import DONE, write_file
from mlops_compiler.console.explore_view import print_exploration
from mlops_compiler.console.streams import results
from mlops_compiler.driver import plan_recipe
from mlops_compiler.explore.exploration import About, Exploration
from mlops_compiler.explore.explore import explore
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.plan.evidence import STAGE, exploration_fingerprint
from mlops_compiler.report.exploration import render_exploration
from mlops_compiler.store.records import StageRecord
from mlops_compiler.store.writer import open_writer
from mlops_compiler.tables.intake import assemble
from mlops_compiler.tables.table import files, stream

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.driver import Planned
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.ir.program import Node
    from mlops_compiler.ir.task import Task
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.tables.stream import Stream


def explore_data(composed: Composed, invocation: Invocation) -> int:
    """Explore the rows that a run would take in; what was found of the same rows before is shown again.

    Raises:
        DataError: The rows cannot be read, or break their contract.
        UsageError: The file that was asked for cannot be written.
    """
    planned = plan_recipe(composed)
    found, page = _recorded(planned) or _explored(planned)
    if (out := invocation.options.get("--out")) is not None:
        is_json = Path(out).suffix.lower() == ".json"
        write_file(Path(out), json.dumps(found.to_json(), indent=2) + "\n" if is_json else render_exploration(found))
        page = out
    if invocation.as_json:
        invocation.print_json(found.to_json())
    else:
        print_exploration(found, page, results())
    return DONE


def _recorded(planned: Planned) -> tuple[Exploration, str] | None:
    """Find what was found of the same rows before, where the page is still there."""
    record = planned.store.stage(_fingerprint(planned))
    if record is None or (planned.location.folder is not None and not Path(record.summary["page"]).exists()):
        return None
    content = planned.store.objects.get(record.outputs["exploration"])
    return Exploration.from_json(json.loads(content)), record.summary["page"]


def _explored(planned: Planned) -> tuple[Exploration, str]:
    recipe, started = planned.compiled.recipe, time.time()
    found = explore(_rows(planned), about(recipe, _size(planned)))
    text = json.dumps(found.to_json(), sort_keys=True, allow_nan=False)
    store, fingerprint = open_writer(planned.location), _fingerprint(planned)
    page = store.publish(f"reports/{recipe.name}-data-{fingerprint[:12]}.html", render_exploration(found).encode())
    store.record_stage(
        StageRecord(
            fingerprint=fingerprint,
            recipe=recipe.name,
            name=STAGE,
            ingredients={"snapshot": planned.plan.stage("snapshot").fingerprint},
            outputs={"exploration": store.objects.put(text.encode())},
            summary={"page": page, "findings": found.to_json()["findings"]},
            run_id="",
            started=started,
            seconds=time.time() - started,
        )
    )
    return found, page


def _fingerprint(planned: Planned) -> str:
    facts = about(planned.compiled.recipe, _size(planned))
    return exploration_fingerprint(planned.plan.stage("snapshot").fingerprint, facts)


def _asked(recipe: Recipe) -> Task | None:
    """Say what a target is predicted as; None where there is none. What only judges anomalies parts two classes."""
    if recipe.objective.target is None:
        return None
    return "binary_classification" if recipe.task == "anomaly_detection" else recipe.task


def about(recipe: Recipe, size: int | None = None) -> About:
    """Say what a recipe knows of its rows."""
    data, objective = recipe.data, recipe.objective
    return About(
        name=recipe.name,
        target=objective.target,
        task=_asked(recipe),
        positive=getattr(objective, "positive", None),
        key=data.key,
        time=data.time,
        groups=data.groups,
        weight=data.weight,
        late=(
            *(name for name, column in data.columns.items() if column.known == "after_outcome"),
            *sorted(late_history(recipe)),
        ),
        ignore=data.ignore,
        sample=recipe.explore.sample,
        bytes=size,
    )


def _rows(planned: Planned) -> pl.DataFrame:
    """Take in the rows that a run would take in; nothing is kept."""
    nodes: dict[str, Node] = {node.name: node for node in planned.plan.stage("snapshot").nodes}
    root = planned.compiled.composed.root

    def read(node: Node) -> Stream:
        assert isinstance(node.op, Read)  # noqa: S101 - the program is built so
        return stream(node.op, root, node.span)

    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        return pl.read_parquet(assemble(nodes, read, Path(folder)).rows)


def _size(planned: Planned) -> int | None:
    """The bytes of all files that are read."""
    root = planned.compiled.composed.root
    found = {path for _, source in planned.compiled.program.of(Read) for path in files(source, root)}
    return sum(path.stat().st_size for path in found if path.exists()) or None
