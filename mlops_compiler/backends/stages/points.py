"""Folds of a searched preparation: each point's are prepared where its trials run, and share all that does not differ.

The steps of a point are cut before each searched one. What stands before a cut is kept, by the content of its steps,
and taken up by every point that begins alike; so what no trial changes runs once. What the stage `prepare` learned for
the base is taken from there. Nothing of this changes a result: kept or made anew, the matrices are the same.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.stages.contract import kept_contract
from mlops_compiler.backends.stages.folds import Fold, Folds, fold_of, refuse_incomplete
from mlops_compiler.backends.stages.prepare import Pipeline, features_of, within_loss
from mlops_compiler.backends.stages.rows import JUDGES, LEARNS, part_column, read_rows
from mlops_compiler.ir.fingerprint import canonical_json, fingerprint
from mlops_compiler.ir.ops.preparation import Vary
from mlops_compiler.ir.ops.prepare import Deduplicate, Filter
from mlops_compiler.passes.decide import preparation_at
from mlops_compiler.tables.fusion import group_steps
from mlops_compiler.tables.preparation import FittedPreparation, FittedStep, fit
from mlops_compiler.tables.steps import NAIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.preparation import NamedStep
    from mlops_compiler.ir.program import Node
    from mlops_compiler.ir.space import Point

PART = "\x00part\x00"
"""How the hidden columns begin that say what a row is in each part of the split."""
ROOM = 2**30
"""Bytes that a process keeps of what it prepared, the newest in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The rows of one fold, on their way through the steps.

    Attributes:
        taught: Those that the fold learns from.
        held: Those that judge it.
        steps: What was learned so far.
    """

    taught: pl.DataFrame
    held: pl.DataFrame
    steps: tuple[FittedStep, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the rows."""
        return int(self.taught.estimated_size() + self.held.estimated_size())


@dataclass(slots=True)
class Kept:
    """Keeps what was prepared, up to so many bytes; what was not asked for longest goes first."""

    room: int = ROOM
    _items: OrderedDict[str, tuple[Any, int]] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, key: str) -> Any:
        """Give what is kept under a key; None where nothing is."""
        if key not in self._items:
            return None
        self._items.move_to_end(key)
        return self._items[key][0]

    def put(self, key: str, value: Any, size: int) -> None:
        """Keep something."""
        self._items[key] = (value, size)
        self._size += size
        while self._size > self.room and len(self._items) > 1:
            _, (_, gone) = self._items.popitem(last=False)
            self._size -= gone


class PointFolds(Folds):
    """The folds at every point of a searched preparation.

    Args:
        nodes: What is varied, the snapshot and the split.
        rows: All rows, with what each is in the parts of the split in columns that begin with `PART`.
        ready: The steps, at the beginning of all points, that are done already.
        base: The preparation of the base, and what each fold learned for it.
    """

    def __init__(
        self,
        *,
        nodes: tuple[Node, ...],
        rows: pl.DataFrame,
        ready: int,
        base: tuple[Pipeline, tuple[FittedPreparation, ...]],
    ) -> None:
        self._given = {"nodes": nodes, "ready": ready, "base": base}
        self._nodes, self._rows, self._ready = nodes, rows, ready
        self._base, self._fitted = base
        self._searched = searched_steps(next(node.op for node in nodes if isinstance(node.op, Vary)))
        self._kept = Kept()
        self._pipelines: dict[Point, Pipeline] = {}

    def __reduce__(self) -> Any:
        """Travel as Arrow, through the object store without copies; Arrow takes no name that holds a NUL."""
        names = self._rows.columns
        numbered = self._rows.rename({name: str(at) for at, name in enumerate(names)})
        return _arrived, (numbered.to_arrow(compat_level=pl.CompatLevel.oldest()), names, self._given)

    def __len__(self) -> int:
        return len(self._fitted)

    def at(self, point: Point, number: int, kind: str) -> Fold:
        """Give a fold at a point, prepared now or kept from before.

        Raises:
            DataError: The preparation cannot run on these rows, leaves values missing that the kind cannot take, or
                makes features that break their contract.
        """
        pipeline = self._pipeline(point)
        key = fingerprint([number, _seal((*pipeline.steps,)), list(pipeline.features)])
        found: Fold | None = self._kept.get(key)
        if found is None:
            half = self._prepared(pipeline, number)
            features = features_of(pipeline, half.steps, half.taught.columns)
            kept_contract(pipeline.checked, features, half.taught)
            found = fold_of(half.taught, half.held, features, FittedPreparation(steps=half.steps))
            self._kept.put(key, found, found.X.nbytes + found.X_held.nbytes)
        refuse_incomplete(found, kind)
        return found

    def _pipeline(self, point: Point) -> Pipeline:
        if point not in self._pipelines:
            self._pipelines[point] = Pipeline.of(preparation_at(self._nodes, point))
        return self._pipelines[point]

    def _prepared(self, pipeline: Pipeline, number: int) -> Half:
        """Go on from the longest beginning that is kept, cut by cut."""
        steps = tuple(step for group in pipeline.groups for step in group)
        cuts = [0, *_cuts(steps, self._searched)]
        keys = {end: fingerprint([number, _seal(_whole(pipeline)), _seal(steps[:end])]) for end in cuts}
        done = next((end for end in reversed(cuts) if self._kept.get(keys[end]) is not None), None)
        half = self._dealt(pipeline, number) if done is None else self._kept.get(keys[done])
        if done is None:
            self._kept.put(keys[0], half, half.size)
        for start, end in pairwise(cuts):
            if done is None or start >= done:
                half = self._advanced(half, pipeline, steps, (start, end), number)
                if end < len(steps):
                    self._kept.put(keys[end], half, half.size)
        return half

    def _dealt(self, pipeline: Pipeline, number: int) -> Half:
        """Deal the rows, with the steps done that no fold learns from."""
        left = _whole(pipeline)[self._ready :]
        key = fingerprint(["rows", _seal(left)])
        if (rows := self._kept.get(key)) is None:
            rows = without_fold(self._rows, left)
            self._kept.put(key, rows, int(rows.estimated_size()))
        part = pl.col(f"{PART}{part_column(number)}")
        hidden = [name for name in rows.columns if name.startswith(PART)]
        return Half(taught=rows.filter(part == LEARNS).drop(hidden), held=rows.filter(part == JUDGES).drop(hidden))

    def _advanced(
        self, half: Half, pipeline: Pipeline, steps: Sequence[NamedStep], span: tuple[int, int], number: int
    ) -> Half:
        start, end = span
        known = tuple(step for group in self._base.groups for step in group)
        if steps[:end] == known[:end] and _whole(pipeline) == _whole(self._base):
            part = FittedPreparation(steps=self._fitted[number].steps[start:end])
            taught = part.transform(half.taught, "training")
        else:
            part, taught = fit(group_steps(steps[start:end]), half.taught)
            if end - start == 1:
                within_loss(steps[start], half.taught.height, taught.height)
        return Half(taught=taught, held=part.transform(half.held, "scoring"), steps=(*half.steps, *part.steps))


def _arrived(table: Any, names: list[str], given: dict[str, Any]) -> PointFolds:
    rows = pl.from_arrow(table)
    assert isinstance(rows, pl.DataFrame)  # noqa: S101 - a table becomes a frame
    return PointFolds(rows=rows.rename(dict(zip(rows.columns, names, strict=True))), **given)


def point_folds(context: Context, preparations: dict[str, Any]) -> PointFolds:
    """Read the rows of a searched preparation, and do once what all of its points begin with."""
    nodes = context.task.stage.nodes
    vary = context.op(Vary)
    pipelines = [Pipeline.of(preparation_at(nodes, item.picks)) for item in vary.variants]
    holes = {hole.step for item in vary.variants for hole in item.holes}
    read = read_rows(context, _columns(pipelines))
    ready = _alike([_whole(item) for item in pipelines], holes)
    dealt = read.split.select(pl.exclude(NAIVE).name.prefix(PART))
    rows = without_fold(read.beside_naive.hstack(dealt), _whole(pipelines[0])[:ready])
    fitted = tuple(FittedPreparation.from_json(entry["preparation"]) for entry in preparations["folds"])
    return PointFolds(
        nodes=tuple(node for node in nodes if node.name in {"snapshot", "split", "vary"}),
        rows=rows,
        ready=ready,
        base=(pipelines[0], fitted),
    )


def without_fold(rows: pl.DataFrame, steps: Sequence[NamedStep]) -> pl.DataFrame:
    """Run the steps that no fold learns from.

    Args:
        rows: With what each is in the parts of the split.
        steps: None of them learns.

    Raises:
        DataError: A row cannot go through them, or a filter drops too many.
    """
    for named in steps:
        before = rows
        rows = FittedStep(name=named.name, step=named.step, learned={}).apply(rows, "scoring")
        final = pl.col(f"{PART}{part_column(None)}") == LEARNS
        taught = (frame.select(final.sum()).item() for frame in (before, rows))
        within_loss(named, *taught)
    return rows


def searched_steps(vary: Vary) -> frozenset[str]:
    """Name the steps that are not the same at every point."""
    variants = [{named.name: named.step for named in item.steps} for item in vary.variants]
    names = {name for steps in variants for name in steps}
    differing = {name for name in names if any(steps.get(name) != variants[0].get(name) for steps in variants)}
    return frozenset(differing | {hole.step for item in vary.variants for hole in item.holes})


def _cuts(steps: Sequence[NamedStep], searched: frozenset[str]) -> list[int]:
    """Cut before each searched step, around each that drops rows, and at the end."""
    cuts = {len(steps)}
    for at, named in enumerate(steps):
        if named.name in searched:
            cuts.add(at)
        if isinstance(named.step, Filter | Deduplicate):
            cuts |= {at, at + 1}
    return sorted(cuts - {0})


def _whole(pipeline: Pipeline) -> tuple[NamedStep, ...]:
    """The steps that run once for all folds, those of the reading first."""
    return (*pipeline.filters, *pipeline.shared)


def _alike(sequences: Sequence[tuple[NamedStep, ...]], holes: set[str]) -> int:
    """Count the steps that all sequences begin with."""
    first, count = sequences[0], 0
    while count < len(first) and first[count].name not in holes:
        if any(steps[count : count + 1] != first[count : count + 1] for steps in sequences):
            break
        count += 1
    return count


def _columns(pipelines: Sequence[Pipeline]) -> list[str] | None:
    """Name what all points together read of the snapshot; None for all."""
    found: dict[str, None] = {}
    for item in pipelines:
        if (columns := item.source) is None:
            return None
        found |= dict.fromkeys(columns)
    return list(found)


def _seal(steps: Sequence[NamedStep]) -> str:
    return canonical_json([[named.name, named.step.op, named.step] for named in steps])
