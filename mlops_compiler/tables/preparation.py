"""A fitted preparation is a chain of plain Polars expressions: the one that trained a model serves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, MlopsError, Note
from mlops_compiler.ir.ops.prepare import Selection, is_fitted
from mlops_compiler.tables.codec import step_from_json, step_to_json
from mlops_compiler.tables.fusion import Taint
from mlops_compiler.tables.refusals import refused
from mlops_compiler.tables.steps import Learned, change, learn, reads, statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.lifecycle import NamedStep
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.tables.steps import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedStep:
    """A step with what it learned."""

    name: str
    step: StepOp
    learned: Learned

    def apply(self, frame: pl.DataFrame, mode: Mode) -> pl.DataFrame:
        """Apply the step's change.

        Raises:
            DataError: A value cannot go through it.
        """
        try:
            after = change(self.step, self.learned).apply(frame, mode)
        except pl.exceptions.PolarsError as error:
            raise DataError([step_failed(self.name, str(error))]) from error
        if (reason := refused(self.step, frame, after, mode)) is not None:
            raise DataError([step_failed(self.name, reason)])
        return after


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
            twice = self.transform(pl.DataFrame([pl.concat([it, it], rechunk=True) for it in frame]), mode)
            return twice.head(twice.height // 2)
        frame = frame.rechunk()
        for step in self.steps:
            frame = step.apply(frame, mode)
        return frame

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


def fit(groups: Sequence[Sequence[NamedStep]], rows: pl.DataFrame) -> tuple[FittedPreparation, pl.DataFrame]:
    """Fit a preparation on training rows, one scan for each group of steps.

    Args:
        groups: The steps as `fusion.group_steps` cuts them (any finer cut gives the same result).
        rows: The training rows, target included; nothing else is seen.

    Returns:
        The fitted preparation, and the rows prepared.

    Raises:
        DataError: A step cannot learn from these rows or cannot be applied to them.
    """
    fitted: list[FittedStep] = []
    for group in groups:
        known = [replace(named, step=_closed(named.step, rows.columns)) for named in group]
        learned = _fit_group(known, rows)
        steps = [
            FittedStep(name=named.name, step=named.step, learned=kept)
            for named, kept in zip(known, learned, strict=True)
        ]
        spans = {named.name: named.span for named in group}
        rows = _with_spans(FittedPreparation(steps=tuple(steps)), rows, spans)
        fitted += steps
    return FittedPreparation(steps=tuple(fitted)), rows


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


def _fit_group(group: Sequence[NamedStep], rows: pl.DataFrame) -> list[Learned]:
    asked: dict[str, pl.Expr] = {}
    frame, taint = rows.lazy(), Taint()
    for index, named in enumerate(group):
        if is_fitted(named.step):
            # Keep the columns as they reach this step: a later one may change them before the scan is collected.
            frame = frame.with_columns(pl.col(name).alias(_kept(index, name)) for name in reads(named.step))
            asks = statistics(named.step, lambda name, index=index: pl.col(_kept(index, name)))  # type: ignore[misc]
            asked |= {f"{index}|{key}": expression.alias(f"{index}|{key}") for key, expression in asks.items()}
        if taint.follow(named.step):
            frame = change(named.step, {}).apply(frame, "training")
    answers = _collect(group, frame, asked)
    return [_learn(named, _answers(index, answers)) for index, named in enumerate(group)]


def _kept(index: int, name: str) -> str:
    return f"\x00{index}\x00{name}"


def _collect(group: Sequence[NamedStep], frame: pl.LazyFrame, asked: Mapping[str, pl.Expr]) -> dict[str, Any]:
    if not asked:
        return {}
    needed = {name for expression in asked.values() for name in expression.meta.root_names()}
    try:
        # In one piece: sums over the pieces that a lazy filter leaves would differ in their last bit.
        rows = frame.select(sorted(needed)).collect().rechunk()
        found = rows.select(**asked)
        return {key: found[key][0] for key in asked}
    except pl.exceptions.PolarsError as error:
        names = ", ".join(named.name for named in group)
        raise DataError([step_failed(names, str(error))]) from error


def _answers(index: int, answers: Mapping[str, Any]) -> dict[str, Any]:
    prefix = f"{index}|"
    return {key.removeprefix(prefix): value for key, value in answers.items() if key.startswith(prefix)}


def _learn(named: NamedStep, answers: Mapping[str, Any]) -> Learned:
    try:
        return learn(named.step, answers)
    except DataError as error:
        raise _placed(error, named.name, named.span) from error


def _with_spans(part: FittedPreparation, rows: pl.DataFrame, spans: Mapping[str, Span | None]) -> pl.DataFrame:
    try:
        return part.transform(rows, "training")
    except DataError as error:
        named = next((name for name in spans if f"`{name}`" in str(error)), None)
        raise _placed(error, named or "", spans.get(named or "")) from error


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


def step_failed(name: str, reason: str) -> Diagnostic:
    """Make the diagnostic of a step that the data broke; a reason's first line tells column and values."""
    return Diagnostic(
        code="step-failed",
        headline=f"step `{name}` cannot run on these rows",
        notes=(Note(text=reason.split("\n", 1)[0]),),
    )
