"""The wording of what can be wrong with the data of a recipe: sources, contracts, joins, the rows that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, Note, Severity, did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_compiler.diagnostics import Span


def unknown_source_column(name: str, known: Iterable[str], source: str, span: Span | None) -> Diagnostic:
    """A recipe names a column that the source does not have."""
    names = list(known)
    return Diagnostic(
        code="unknown-column",
        headline=f"the source has no column `{name}`",
        span=span,
        notes=(Note(text=f"{len(names)} columns come from {source}"),),
        help=did_you_mean(name, names, otherwise="its columns are"),
    )


def not_explainable(name: str, known: Sequence[str], key: str, target: str | None, span: Span | None) -> Diagnostic:
    """A recipe wants something told of a column that the rows, or the features, do not have."""
    if name == target:
        why = "is the target: what is told of it would tell nothing of the model"
    elif key.endswith("slices"):
        why = "is no column that rows can be sliced by"
    else:
        why = "is no column that a feature is made of"
    return Diagnostic(
        code="unknown-column",
        headline=f"`{name}` under `{key}` {why}",
        span=span,
        help=None if name == target else did_you_mean(name, known, otherwise="there are"),
    )


def source_absent(path: str, columns: int, span: Span | None) -> Diagnostic:
    """The source is not here, and its contract stands for it."""
    return Diagnostic(
        code="source-absent",
        headline=f"the source {path} is not here; the {columns} columns of its contract are taken for all of it",
        span=span,
        notes=(Note(text="a plan supposes that it holds what was read last; a run needs it"),),
        severity=Severity.WARNING,
    )


def starred_name(name: str, span: Span | None) -> Diagnostic:
    """A column's name ends in a star."""
    return Diagnostic(
        code="starred-name",
        headline=f"column `{name}` may not end in a star, which stands for the indicators of a one-hot encoding",
        span=span,
        help="give it another name, or list a column of the source under `data.ignore`",
    )


def empty_name(step: str, span: Span | None) -> Diagnostic:
    """A new column has no name."""
    return Diagnostic(code="empty-name", headline=f"step `{step}` makes a column without a name", span=span)


def wrong_positive(positive: object, target: str, why: str, known: Iterable[object], span: Span | None) -> Diagnostic:
    """The positive value cannot be one of the target's."""
    names = [str(item) for item in known]
    return Diagnostic(
        code="wrong-positive",
        headline=f"`positive: {positive!r}` is no value of the target `{target}`: {why}",
        span=span,
        help=did_you_mean(str(positive), names, otherwise="its values are") if names else None,
    )


def wrong_target(target: str, kind: str, task: str, fitting: Sequence[str], span: Span | None) -> Diagnostic:
    """The target is of a type that the task cannot predict."""
    return Diagnostic(
        code="wrong-target",
        headline=f"the target `{target}` is {kind}, and a {task.replace('_', ' ')} predicts {listing(fitting)}",
        span=span,
        help="choose another target or task, or compute one by `objective.target_is`",
    )


def contract_conflict(name: str, why: str, span: Span | None) -> Diagnostic:
    """A column's contract contradicts another part of the recipe."""
    return Diagnostic(code="contract-conflict", headline=f"column `{name}` {why}", span=span)


def stack_lacks(stack: str, missing: Sequence[str], known: Iterable[str], span: Span | None) -> Diagnostic:
    """A stacked table does not have the columns of the source."""
    return Diagnostic(
        code="stack-columns",
        headline=f"stack `{stack}` lacks {listing(missing)}, which the source has",
        span=span,
        notes=(Note(text=f"it has {listing(known)}"),),
        help="say what they are called there under `rename`",
    )


def stack_types(stack: str, column: str, types: tuple[str, str], span: Span | None) -> Diagnostic:
    """A column of a stacked table is of a type that does not go with that of the source."""
    return Diagnostic(
        code="stack-columns",
        headline=f"stack `{stack}`: `{column}` is {types[1]} there, and {types[0]} in the source",
        span=span,
        help="declare the type that both can be read as under `data.columns`",
    )


def unknown_join_column(join: str, name: str, known: Iterable[str], whose: str, span: Span | None) -> Diagnostic:
    """A join names a column that one of its tables does not have.

    Args:
        join: The join.
        name: The column.
        known: The columns that there are.
        whose: Of which table, as in ``weather.csv has``.
        span: The word to blame.
    """
    return Diagnostic(
        code="unknown-column",
        headline=f"join `{join}` names column `{name}`, and {whose} none of that name",
        span=span,
        help=did_you_mean(name, list(known), otherwise="its columns are"),
    )


def join_types(join: str, ours: tuple[str, str], theirs: tuple[str, str], span: Span | None) -> Diagnostic:
    """Two columns of a join are of types that cannot be compared; each a name and its type."""
    return Diagnostic(
        code="join-types",
        headline=f"join `{join}` compares `{ours[0]}`, which is {ours[1]}, with `{theirs[0]}`, which is {theirs[1]}",
        span=span,
        help="give one of them the type of the other under `data.columns`",
    )


def join_needs_time(join: str, span: Span | None) -> Diagnostic:
    """An as-of join, and the rows have no time."""
    return Diagnostic(
        code="join-needs-time",
        headline=f"join `{join}` takes what was known at the time of each row, and the rows have no time",
        span=span,
        help="name the column of their time under `data.time`",
    )


def join_column_twice(join: str, name: str, span: Span | None) -> Diagnostic:
    """A join would add a column that there is already."""
    return Diagnostic(
        code="join-column-twice",
        headline=f"join `{join}` would add column `{name}`, which there is already",
        span=span,
        help="list what to add under `columns`, give what is added a `prefix`, or leave the other out by `data.ignore`",
    )


def join_by_outcome(join: str, name: str, why: str, span: Span | None) -> Diagnostic:
    """A join matches rows by what no prediction can know."""
    return Diagnostic(
        code="leak",
        headline=f"join `{join}` matches rows by `{name}`, which is {why}",
        span=span,
        help="match by what is known before a prediction: what is added would tell the outcome",
    )


def bad_source_expression(key: str, text: str, reason: str, span: Span | None) -> Diagnostic:
    """An expression over the source does not parse, does not type, or looks at other rows."""
    return Diagnostic(
        code="bad-expression",
        headline=f"`{key}` cannot compute `{text}`",
        span=span,
        notes=(Note(text=reason),),
        help="expressions are SQL over the columns of one row of the source: `delay > 15`, `delay IS NOT NULL`",
    )


def unknown_in_source_expression(key: str, name: str, help_: str | None, span: Span | None) -> Diagnostic:
    """An expression over the source names a column that is not there for it."""
    return Diagnostic(
        code="unknown-column",
        headline=f"`{key}` uses column `{name}`, which the source does not have, or `data.ignore` leaves out",
        span=span,
        help=help_,
    )


def history_without_time(name: str, span: Span | None) -> Diagnostic:
    """A recipe looks back, and does not say what is before what."""
    return Diagnostic(
        code="contract-conflict",
        headline=f"history `{name}` looks at earlier rows, and the recipe names no column of time",
        span=span,
        help="name it under `data.time`",
    )


def unknown_reference(name: str, column: str, known: Iterable[str], whose: str, span: Span | None) -> Diagnostic:
    """A reference names a column that one of its tables does not have; `whose` as in ``airports.csv has``."""
    return Diagnostic(
        code="unknown-column",
        headline=f"references `{name}` names column `{column}`, and {whose} none of that name",
        span=span,
        help=did_you_mean(column, list(known), otherwise="its columns are"),
    )


def reference_types(name: str, ours: tuple[str, str], theirs: tuple[str, str], span: Span | None) -> Diagnostic:
    """Two columns of a reference are of types that cannot be compared; each a name and its type."""
    return Diagnostic(
        code="join-types",
        headline=f"references `{name}`: `{ours[0]}` is {ours[1]}, and `{theirs[0]}` there is {theirs[1]}",
        span=span,
        help="give one of them the type of the other under `data.columns`",
    )
