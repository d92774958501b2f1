"""A fitted preparation is a chain of plain Polars expressions: the one that trained a model serves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, MlopsError
from mlops_compiler.ir.ops.prepare import Categories, Selection, is_fitted
from mlops_compiler.tables import asking
from mlops_compiler.tables.applied import FittedStep
from mlops_compiler.tables.asking import answers
from mlops_compiler.tables.codec import step_from_json, step_to_json
from mlops_compiler.tables.flow import flow
from mlops_compiler.tables.fusion import group_steps
from mlops_compiler.tables.parts import of_part, only_counts, parts, size_of
from mlops_compiler.tables.steps import HIDDEN, LABEL, Learned, learn
from mlops_compiler.tables.stream import Stream, doubled, in_one_piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.preparation import NamedStep
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.tables.parts import Part
    from mlops_compiler.tables.steps import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPreparation:
    """All steps, fitted, in order."""

    steps: tuple[FittedStep, ...]

    def transform(self, frame: pl.DataFrame, mode: Mode = "serving") -> pl.DataFrame:
        """Prepare rows, each to the same bits alone and beside others.

        Polars divides a column by a constant as a product with its reciprocal, but for a chunk of one row. So the
        steps run eagerly, as the lazy engine would cut a small frame into such chunks, and a single row runs twice.

        Args:
            frame: Rows with the columns that the recipe's source has; others pass through.
            mode: What the rows are for. Those to learn from bring their label, must be those that the preparation
                was fitted on, and may come back as others; those to score pass the filters; a request drops none:
                each row asked for gets its answer.

        Raises:
            DataError: A value cannot go through a step; the error names the step.
        """
        if frame.height == 1 and mode != "training":
            twice = self.transform(doubled(frame), mode)
            return twice.head(twice.height // 2)
        frame = in_one_piece(frame)
        for step in self.steps:
            frame = step.apply(frame, mode)
        return frame

    def categories(self, features: Sequence[str]) -> tuple[int, ...]:
        """Count the levels of each feature that is a category, 0 of a number; none where all are numbers."""
        levels = {
            name: len(found)
            for item in self.steps
            if isinstance(item.step, Categories)
            for name, found in item.learned["levels"].items()
        }
        return tuple(levels.get(name, 0) for name in features) if levels.keys() & set(features) else ()

    def to_json(self) -> dict[str, Any]:
        """Write the preparation as JSON."""
        return {
            "steps": [
                {"name": step.name, "step": step_to_json(step.step), "learned": step.learned} for step in self.steps
            ]
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FittedPreparation:
        """Read a preparation back.

        Raises:
            EngineError: It was written by a version that knows other steps.
        """
        return cls(
            steps=tuple(
                FittedStep(name=item["name"], step=step_from_json(item["step"]), learned=item["learned"])
                for item in value["steps"]
            )
        )


Groups: TypeAlias = "Sequence[Sequence[NamedStep]]"
__all__ = ["FittedPreparation", "FittedStep", "expand", "fit"]


@overload
def fit(groups: Groups, rows: pl.DataFrame) -> tuple[FittedPreparation, pl.DataFrame]: ...
@overload
def fit(groups: Groups, rows: Stream) -> tuple[FittedPreparation, Stream]: ...
@overload
def fit(groups: Groups, rows: pl.DataFrame | Stream) -> tuple[FittedPreparation, pl.DataFrame | Stream]: ...
def fit(groups: Groups, rows: pl.DataFrame | Stream) -> tuple[FittedPreparation, pl.DataFrame | Stream]:
    """Fit a preparation on training rows, one scan for each group of steps.

    Args:
        groups: The steps as `fusion.group_steps` cuts them (any finer cut gives the same result).
        rows: The training rows, target included; nothing else is seen. A table at hand is prepared step by step; of a
            stream each scan reads the columns that its group asks of, and prepares them anew.

    Returns:
        The fitted preparation, to the same bits for both, and the rows prepared.

    Raises:
        DataError: A step cannot learn from these rows or cannot be applied to them.
    """
    spans = {named.name: named.span for group in groups for named in group}
    if isinstance(rows, Stream):
        learned = _fit_stream(groups, rows)
        return FittedPreparation(steps=tuple(learned)), _placing(flow(learned, rows, "training"), spans)
    fitted: list[FittedStep] = []
    for group in groups:
        steps = [step for step, _ in _learned(group, Stream.of(rows, rows.height or 1))]
        rows = _with_spans(FittedPreparation(steps=tuple(steps)), rows, spans)
        fitted += steps
    return FittedPreparation(steps=tuple(fitted)), rows


def _learned(group: Sequence[NamedStep], rows: Stream) -> list[tuple[FittedStep, dict[str, Any]]]:
    """Fit a group of steps; gives beside each what it was answered."""
    known = [replace(named, step=_closed(named.step, list(rows.schema))) for named in group]
    asked = answers(known, rows)
    return [(_taught(named, found), found) for named, found in zip(known, asked, strict=True)]


def _taught(named: NamedStep, asked: Mapping[str, Any]) -> FittedStep:
    return FittedStep(name=named.name, step=named.step, learned=_learn(named, asked))


def _fit_stream(groups: Sequence[Sequence[NamedStep]], rows: Stream) -> list[FittedStep]:
    """Fit on each set of columns that no step reaches across, and put together what they were answered."""
    steps = [named for group in groups for named in group]
    sets = parts(steps, [name for name in rows.schema if name not in HIDDEN])
    if len(sets) > 1:
        try:
            asked: dict[str, dict[str, Any]] = {named.name: {} for named in steps}
            for some, now, held in _supplied(sets, steps, rows):
                for step, found in _levels(group_steps(some), now, held=held):
                    asked[step.name] |= found
            return [_taught(named, asked[named.name]) for named in steps]
        except DataError:
            pass  # what is wrong is told below, of all columns at once
    return [step for step, _ in _levels(groups, rows, held=False)]


def _levels(
    groups: Sequence[Sequence[NamedStep]], rows: Stream, *, held: bool
) -> Iterator[tuple[FittedStep, dict[str, Any]]]:
    """Fit groups one after another; rows that are held are prepared once for all that follow."""
    for number, group in enumerate(groups):
        found = _learned(group, rows)
        yield from found
        rows = flow([step for step, _ in found], rows, "training")
        if held and number < len(groups) - 1:
            rows = Stream.of(frame := rows.collect(), frame.height or 1)


def _supplied(
    sets: Sequence[Part], steps: Sequence[NamedStep], rows: Stream
) -> Iterator[tuple[list[NamedStep], Stream, bool]]:
    """Give the steps of each set of columns, with the rows: held, as many as fit together, or read as asked."""
    height = rows.height or 0
    most, size = max(asking.BUDGET, 8 * height), 0
    waiting: list[tuple[list[NamedStep], list[str]]] = []
    for part in sets:
        some = of_part(steps, part)
        if not any(is_fitted(named.step) for named in some):
            continue
        names = [name for name in rows.schema if name in part]
        taken = size_of(names, rows.schema, height)
        if not names or only_counts(some) or taken > most:
            yield some, rows, False
            continue
        if waiting and size + taken > most:
            yield from _held(waiting, rows)
            waiting, size = [], 0
        waiting.append((some, names))
        size += taken
    yield from _held(waiting, rows)


def _held(
    waiting: Sequence[tuple[list[NamedStep], list[str]]], rows: Stream
) -> Iterator[tuple[list[NamedStep], Stream, bool]]:
    """Read some sets of columns at once; each is let go of once it was learned from."""
    label = [LABEL] if LABEL in rows.schema else []
    frame = rows.collect([*(name for _, names in waiting for name in names), *label]) if waiting else pl.DataFrame()
    for some, names in waiting:
        part = frame.select(*names, *label)
        frame = frame.drop(names)
        yield some, Stream.of(part, part.height or 1), True


def _placing(rows: Stream, spans: Mapping[str, Span | None]) -> Stream:
    """Say of what goes wrong while rows are read where the recipe defines the step."""

    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        try:
            yield from rows.batches(names)
        except DataError as error:
            raise _of_step(error, spans) from error

    return replace(rows, read=read)


def _closed(step: StepOp, columns: Sequence[str]) -> StepOp:
    """Name the columns that a step really chooses among: those behind open ones, without those that are gone."""
    if not isinstance(step, Selection):
        return step
    return replace(step, columns=tuple(name for name in expand(step.columns, columns) if name in columns))


def expand(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Name the columns that stand behind each open one, in the order of the table."""
    named: list[str] = []
    for name in names:
        named += [column for column in columns if column.startswith(name[:-1])] if name.endswith("*") else [name]
    return named


def _learn(named: NamedStep, answers: Mapping[str, Any]) -> Learned:
    try:
        return learn(named.step, answers)
    except DataError as error:
        raise _placed(error, named.name, named.span) from error


def _with_spans(part: FittedPreparation, rows: pl.DataFrame, spans: Mapping[str, Span | None]) -> pl.DataFrame:
    try:
        return part.transform(rows, "training")
    except DataError as error:
        raise _of_step(error, spans) from error


def _of_step(error: DataError, spans: Mapping[str, Span | None]) -> DataError:
    named = next((name for name in spans if f"`{name}`" in str(error)), None)
    return _placed(error, named or "", spans.get(named or ""))


def _placed(error: MlopsError, name: str, span: Span | None) -> DataError:
    """Say of an error which step it happened in, and where the recipe defines that."""
    return DataError(
        Diagnostic(
            code=item.code,
            headline=item.headline if f"`{name}`" in item.headline else f"step `{name}`: {item.headline}",
            span=item.span or span,
            notes=item.notes,
            help=item.help,
        )
        for item in error.diagnostics
    )
