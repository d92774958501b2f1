"""Where a step stands: what reaches it, which columns it may name, and whom to tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from mlops_compiler.analysis import wording
from mlops_compiler.analysis.leaks import why
from mlops_compiler.analysis.selectors import GROUPS, UnknownNameError, select
from mlops_compiler.frontend.yaml_spans import written
from mlops_compiler.ir.schema import Known, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.schema import Column, Schema
    from mlops_compiler.ir.task import Task
    from mlops_compiler.recipe import prepare as steps

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
        task: What the recipe's models are asked for.
        seed: That of the recipe.
        places: Where the recipe says what.
        sink: Collects the findings.
    """

    name: str
    schema: Schema
    before: str
    removed: dict[str, str]
    ignored: tuple[str, ...]
    unmade: frozenset[str]
    task: Task
    seed: int
    places: Provenance
    sink: Sink

    def span(self, *path: str | int) -> Span | None:
        """The place of a value of this step."""
        return self.places.value_span(("prepare", self.name, *path))

    def named(self, names: Iterable[str], *path: str) -> tuple[str, ...]:
        """Take columns that the step names and only reads; reports those that there are not, or that it may not use."""
        found = []
        for index, name in enumerate(names):
            span = self.span(*path, index) or self.span(*path)
            if name not in self.schema:
                self.missing(name, span)
            elif self.allowed(name, span, "derives"):
                found.append(name)
        return tuple(found)

    def early(self, names: Iterable[str], *path: str) -> tuple[str, ...]:
        """Take columns that change others in place: none that is known only after the outcome, whatever made it."""
        return tuple(name for name in self.named(names, *path) if self.allowed(name, self.span(*path), "filters"))

    def ready(self, selector: steps.Selector) -> tuple[str, ...]:
        """Resolve a selector of columns that a model could take, those that only the data name included."""
        columns = self.numbers_or_booleans(self.columns(selector))
        opened = tuple(column.name for column in self.schema if column.is_open and column.name not in columns)
        return (*columns, *opened) if selector == "all" or isinstance(selector, dict) else columns

    def columns(self, selector: steps.Selector, key: str = "columns") -> tuple[str, ...]:
        """Resolve a selector of the step; reports what does not resolve and returns what does."""
        try:
            names = select(selector, self.schema)
        except UnknownNameError as error:
            for name in error.names:
                self.missing(name, self._word(selector, name, key))
            known = tuple(name for name in selector if name not in error.names) if isinstance(selector, tuple) else ()
            return self.columns(known, key) if known else ()
        except re.error as error:
            self.sink.add(
                wording.bad_expression(self.name, str(selector), f"no regular expression: {error}", self.span(key))
            )
            return ()
        if not names:
            self.sink.add(wording.empty_selection(self.name, _show(selector), self.span(key)))
        return tuple(name for name in names if self.allowed(name, self._word(selector, name, key)))

    def _word(self, selector: steps.Selector, name: str, key: str) -> Span | None:
        if isinstance(selector, dict):
            return (
                self.span(key, "all_except", selector["all_except"].index(name))
                if name in selector["all_except"]
                else self.span(key)
            )
        if isinstance(selector, tuple) and name in selector:
            return self.span(key, selector.index(name))
        return self.span(key)

    def _listed(self, name: str, path: tuple[str, ...]) -> Span | None:
        """Find where a list of columns names one; the whole selector where it does not."""
        above = ("prepare", self.name, *path)
        items = (self.span(*path, index) for index in range(len(self.schema)) if (*above, index) in self.places.origins)
        return next((span for span in items if span and written(span).strip("\"'") == name), self.span(*path))

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

    def numbers(self, names: Iterable[str], wanted: str = "numbers", *path: str) -> tuple[str, ...]:
        """Keep numeric columns and report the others."""
        return self._keep(names, lambda column: column.is_numeric, wanted, path)

    def numbers_or_booleans(self, names: Iterable[str]) -> tuple[str, ...]:
        """Keep what a model could take and report the others."""
        return self._keep(names, lambda column: column.is_model_ready, "numbers or booleans to compare")

    def texts(self, names: Iterable[str]) -> tuple[str, ...]:
        """Keep columns of texts and report the others."""
        return self._keep(names, lambda column: column.is_categorical, "texts")

    def times(self, names: Iterable[str]) -> tuple[str, ...]:
        """Keep dates, with and without a time of day, and report the others."""
        return self._keep(names, lambda column: column.dtype.is_temporal(), "dates")

    def datetimes(self, names: Iterable[str], wanted: str) -> tuple[str, ...]:
        """Keep dates with a time of day and report the others."""
        return self._keep(names, lambda column: isinstance(column.dtype, pl.Datetime), wanted)

    def no_times(self, names: Iterable[str], wanted: str) -> tuple[str, ...]:
        """Keep columns that are no dates, and report the others."""
        return self._keep(names, lambda column: not column.dtype.is_temporal(), wanted)

    def _keep(
        self, names: Iterable[str], fits: Callable[[Column], bool], wanted: str, path: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        kept = []
        for name in names:
            if fits(self.schema[name]):
                kept.append(name)
            else:
                span = self._listed(name, path or ("columns",))
                self.sink.add(wording.wrong_column_type(self.name, self.schema[name], wanted, span))
        return tuple(kept)


def _show(selector: steps.Selector) -> str:
    if isinstance(selector, dict):
        return f"all_except: {list(selector['all_except'])}"
    return f"`{selector}`" if isinstance(selector, str) else str(list(selector))
