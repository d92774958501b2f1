"""Each step of a recipe becomes an op with its columns resolved, and a schema that says what it gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from mlops_compiler.analysis import wording
from mlops_compiler.analysis.leaks import why
from mlops_compiler.analysis.selectors import GROUPS, UnknownNameError, select
from mlops_compiler.frontend.provenance import within
from mlops_compiler.frontend.yaml_spans import written
from mlops_compiler.ir.ops import prepare as ops
from mlops_compiler.ir.schema import Known, Role, dtype_name
from mlops_compiler.recipe import prepare as steps
from mlops_compiler.tables.expressions import NotRowWiseError, infer_expression, parse_expression
from mlops_compiler.tables.infer import infer
from mlops_compiler.tables.steps import writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.schema import Column, Schema

_STATISTICS = ("mean", "median", "mode")

Use: TypeAlias = Literal["changes", "derives", "filters"]
"""What a step does with a column that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a step stands: its name, what reaches it, and whom to tell.

    Attributes:
        name: The step's name in the recipe.
        schema: The columns that reach it.
        before: What gave them, for messages: ``step `scale``` or ``the source``.
        removed: Columns that earlier steps removed, by whom.
        ignored: Columns of the source that the recipe leaves out.
        unmade: Columns that earlier steps would make, were they right; what uses them is not to blame.
        places: Where the recipe says what.
        sink: Collects the findings.
    """

    name: str
    schema: Schema
    before: str
    removed: dict[str, str]
    ignored: tuple[str, ...]
    unmade: frozenset[str]
    places: Provenance
    sink: Sink

    def span(self, *path: str | int) -> Span | None:
        """The place of a value of this step."""
        return self.places.value_span(("prepare", self.name, *path))

    def columns(self, selector: steps.Selector) -> tuple[str, ...]:
        """Resolve the step's selector; reports what does not resolve and returns what does."""
        try:
            names = select(selector, self.schema)
        except UnknownNameError as error:
            for name in error.names:
                self.missing(name, self._word(selector, name))
            known = tuple(name for name in selector if name not in error.names) if isinstance(selector, tuple) else ()
            return self.columns(known) if known else ()
        except re.error as error:
            self.sink.add(
                wording.bad_expression(
                    self.name, str(selector), f"no regular expression: {error}", self.span("columns")
                )
            )
            return ()
        if not names:
            self.sink.add(wording.empty_selection(self.name, _show(selector), self.span("columns")))
        return tuple(name for name in names if self.allowed(name, self._word(selector, name)))

    def _word(self, selector: steps.Selector, name: str) -> Span | None:
        if isinstance(selector, dict):
            return (
                self.span("columns", "all_except", selector["all_except"].index(name))
                if name in selector["all_except"]
                else self.span("columns")
            )
        if isinstance(selector, tuple) and name in selector:
            return self.span("columns", selector.index(name))
        return self.span("columns")

    def _listed(self, name: str) -> Span | None:
        """Find where the step's list of columns names one; the whole selector where it does not."""
        above = ("prepare", self.name, "columns")
        items = (
            self.span("columns", index) for index in range(len(self.schema)) if (*above, index) in self.places.origins
        )
        return next((span for span in items if span and written(span).strip("\"'") == name), self.span("columns"))

    def missing(self, name: str, span: Span | None) -> None:
        """Report a column that does not reach the step."""
        if name in self.unmade:
            return
        if name in self.ignored:
            self.sink.add(wording.ignored_in_step(self.name, name, span))
        elif name in self.removed:
            by = self.removed[name]
            self.sink.add(wording.dropped_column(self.name, name, by, span, self.places.key_span(("prepare", by))))
        else:
            known = [*self.schema.names, *GROUPS]
            shown = known if name in GROUPS else self.schema.names
            self.sink.add(wording.unknown_step_column(self.name, name, shown, self.before, span))

    def allowed(self, name: str, span: Span | None, use: Use = "changes") -> bool:
        """Report a column that no step may use; return whether this one may.

        A step that derives may compute with what is known only after the outcome, and steps may change what it made:
        whether that is a leak shows where it ends (`find_leaks`). A filter may not: it would choose the rows to learn
        from by their outcome.
        """
        column = self.schema[name]
        if column.role is Role.KEY:
            self.sink.add(wording.key_in_step(self.name, name, span))
            return False
        made = column.role is Role.FEATURE
        if column.known is not Known.AFTER_OUTCOME or use == "derives" or (use == "changes" and made):
            return True
        told = wording.chosen_by_outcome if use == "filters" else wording.leak
        self.sink.add(told(self.name, column, why(column), span))
        return False

    def no_indicator(self, name: str, span: Span | None, encoded: Iterable[str] = ()) -> None:
        """Report a column whose name an indicator of a one-hot encoding could have."""
        opened = [column.name.removesuffix("=*") for column in self.schema if column.is_open]
        for column in (*opened, *encoded):
            if name.startswith(f"{column}=") and name != f"{column}=*":
                self.sink.add(wording.indicator_name(self.name, name, column, span))

    def numbers(self, names: Iterable[str], wanted: str = "numbers") -> tuple[str, ...]:
        """Keep numeric columns and report the others."""
        return self._keep(names, lambda column: column.is_numeric, wanted)

    def no_times(self, names: Iterable[str], wanted: str) -> tuple[str, ...]:
        """Keep columns that are no dates, and report the others."""
        return self._keep(names, lambda column: not column.dtype.is_temporal(), wanted)

    def _keep(self, names: Iterable[str], fits: Callable[[Column], bool], wanted: str) -> tuple[str, ...]:
        kept = []
        for name in names:
            if fits(self.schema[name]):
                kept.append(name)
            else:
                self.sink.add(wording.wrong_column_type(self.name, self.schema[name], wanted, self._listed(name)))
        return tuple(kept)


def _show(selector: steps.Selector) -> str:
    if isinstance(selector, dict):
        return f"all_except: {list(selector['all_except'])}"
    return f"`{selector}`" if isinstance(selector, str) else str(list(selector))


def step_schema(step: ops.StepOp, site: Site) -> Schema:
    """Infer what a step gives; where its types do not fit, report that and go on with what reached it."""
    try:
        return infer(step, site.schema)
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().split("\n", 1)[0]
        site.sink.add(wording.step_types(site.name, reason, site.places.key_span(("prepare", site.name))))
    return site.schema


def removed_by(step: ops.StepOp) -> tuple[str, ...]:
    """Name the columns that a step removes."""
    return writes(step) if isinstance(step, ops.Drop | ops.OneHot) else ()


def made_by(step: steps.Step) -> set[str]:
    """Name the columns that a step of the recipe derives, or would derive if it were right."""
    return set(step.columns) if isinstance(step, steps.Derive) else set()


@singledispatch
def resolve(step: steps.Step, site: Site) -> ops.StepOp | None:
    """Turn a step of the recipe into an op; None where too little of it is right to go on with."""
    raise TypeError(f"no op for {step!r} at {site.name}")


@resolve.register(steps.Impute)
def _(step: steps.Impute, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    if step.with_ in _STATISTICS:
        if step.with_ != "mode":
            columns = site.numbers(columns, f"numbers to take the {step.with_} of")
        else:
            columns = site.no_times(columns, "numbers, texts or booleans to take the mode of")
        return ops.Impute(columns=columns, statistic=step.with_) if columns else None  # type: ignore[arg-type]
    fitting = tuple(name for name in columns if _holds(site, name, step.with_))
    if not fitting:
        return None
    floats = any(site.schema[name].dtype.is_float() for name in fitting)
    return ops.Impute(
        columns=fitting, value=float(step.with_) if floats and not isinstance(step.with_, str) else step.with_
    )


def _holds(site: Site, name: str, value: object) -> bool:
    column = site.schema[name]
    fits = isinstance(value, str) if column.is_categorical else not isinstance(value, str)
    if fits and not column.dtype.is_temporal():
        return True
    wanted = "a column of texts" if isinstance(value, str) else "a column of numbers"
    site.sink.add(wording.wrong_column_type(site.name, column, f"{wanted} to fill with {value!r}", site.span("with")))
    return False


@resolve.register(steps.Derive)
def _(step: steps.Derive, site: Site) -> ops.StepOp | None:
    good = [
        (name, text) for name, text in step.columns.items() if _expression(site, text, ("columns", name), "derives")
    ]
    for name, _text in good:
        if name in site.schema and not site.allowed(
            name, site.places.key_span(("prepare", site.name, "columns", name))
        ):
            return None
        if name.endswith("*"):
            site.sink.add(wording.starred_name(name, site.places.key_span(("prepare", site.name, "columns", name))))
        site.no_indicator(name, site.places.key_span(("prepare", site.name, "columns", name)))
    return ops.Derive(expressions=tuple(good)) if good else None


@resolve.register(steps.Filter)
def _(step: steps.Filter, site: Site) -> ops.StepOp | None:
    if not _expression(site, step.where, ("where",), "filters"):
        return None
    dtype = infer_expression(step.where, site.schema.empty_frame().schema)
    if dtype != pl.Boolean:
        reason = f"a filter needs true or false for each row; this gives {dtype_name(dtype)}"
        site.sink.add(wording.bad_expression(site.name, step.where, reason, site.span("where")))
        return None
    return ops.Filter(where=step.where, max_loss=step.max_loss)


def _expression(site: Site, text: str, path: tuple[str, ...], use: Use) -> bool:
    """Check an expression: its syntax, its columns, its types, and that it needs one row only."""
    span = site.span(*path)
    try:
        _, roots = parse_expression(text)
        missing = [name for name in roots if name not in site.schema]
        for name in missing:
            site.missing(name, within(span, name) if span else None)
        words = {name: within(span, name) if span else None for name in roots if name not in missing}
        allowed = [site.allowed(name, word, use) for name, word in words.items()]
        if missing or not all(allowed):
            return False
        infer_expression(text, site.schema.empty_frame().schema)
    except NotRowWiseError:
        site.sink.add(wording.not_row_wise(site.name, text, span))
        return False
    except pl.exceptions.PolarsError as error:
        site.sink.add(wording.bad_expression(site.name, text, str(error).strip().split("\n", 1)[0], span))
        return False
    return True


@resolve.register(steps.Log1p)
def _(step: steps.Log1p, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    return ops.Log1p(columns=columns) if columns else None


@resolve.register(steps.Standardize)
def _(step: steps.Standardize, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    return ops.Standardize(columns=columns) if columns else None


@resolve.register(steps.OneHot)
def _(step: steps.OneHot, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    for name in site.schema.names:
        site.no_indicator(name, site.span("columns"), columns)
    return ops.OneHot(columns=columns, max_levels=step.max_levels, rare=step.rare) if columns else None


@resolve.register(steps.Drop)
def _(step: steps.Drop, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    return ops.Drop(columns=columns) if columns else None


@resolve.register(steps.Cast)
def _(step: steps.Cast, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    return ops.Cast(columns=columns, to=step.to) if columns else None
