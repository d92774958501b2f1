"""Two recorded runs become one value, a part for each question; the value is JSON, and knows no terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from mlops_compiler.plan.compare.data import Data, compare_data
from mlops_compiler.plan.compare.made_of import compare_code, compare_environments, compare_recipes
from mlops_compiler.plan.compare.outcome import (
    Metrics,
    Preparation,
    Time,
    compare_metrics,
    compare_parameters,
    compare_preparations,
    compare_times,
)
from mlops_compiler.plan.compare.part import Keys, Part
from mlops_compiler.plan.compare.sides import read_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.plan.compare.sides import Side
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """A run, as the head of a comparison names it.

    Attributes:
        run_id: Its name.
        recipe: The recipe's name.
        status: How it ended.
        started: Seconds since 1970.
        release: The number that its model has; None where it has none.
        overrides: Its command line.
    """

    run_id: str
    recipe: str
    status: str
    started: float
    release: int | None
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs, part by part.

    Attributes:
        before: The first run, A.
        after: The second, B.
        recipe: The composed recipes.
        code: The program, the recipe's folder, each stage.
        environment: Python, platform, libraries.
        data: Source, rows, columns, distributions.
        preparation: The features.
        parameters: The chosen model, its parameters, the threshold.
        metrics: On the holdout.
        time: How long each took.
    """

    before: Which
    after: Which
    recipe: Keys
    code: Keys
    environment: Keys
    data: Data
    preparation: Preparation
    parameters: Keys
    metrics: Metrics
    time: Time

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name, in order."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: part for name, part in found.items() if isinstance(part, Part)}

    @property
    def differs(self) -> bool:
        """Whether any part differs."""
        return any(part.differs for part in self.parts.values())

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON; each part says under ``state`` whether it is ``same``, ``different`` or ``unknown``."""
        parts = {name: {"state": part.state, **asdict(part)} for name, part in self.parts.items()}
        return {"differs": self.differs, "before": asdict(self.before), "after": asdict(self.after), **parts}


def compare_runs(store: StoreReader, before: RunRecord, after: RunRecord) -> Comparison:
    """Compare two runs.

    Args:
        store: What is recorded.
        before: The first, A.
        after: The second, B.
    """
    first, second = read_side(store, before, "A"), read_side(store, after, "B")
    parts = {name: compare(first, second) for name, compare in _PARTS.items()}
    return Comparison(before=_which(first), after=_which(second), **parts)


_PARTS: dict[str, Callable[[Side, Side], Any]] = {
    "recipe": compare_recipes,
    "code": compare_code,
    "environment": compare_environments,
    "data": compare_data,
    "preparation": compare_preparations,
    "parameters": compare_parameters,
    "metrics": compare_metrics,
    "time": compare_times,
}


def _which(side: Side) -> Which:
    run = side.run
    return Which(
        run_id=run.run_id,
        recipe=run.recipe,
        status=run.status,
        started=run.started,
        release=run.summary.get("release"),
        overrides=tuple(run.overrides),
    )
