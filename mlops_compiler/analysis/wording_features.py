"""The wording of what can be wrong with the contract of the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, Note, did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.schema import Column


def unknown_feature(key: str, known: Sequence[str], span: Span | None, *, was_there: bool) -> Diagnostic:
    """A contract is about a feature that there is not."""
    gone = (Note(text="a column of that name is there before or between the steps, and no feature after them"),)
    return Diagnostic(
        code="unknown-feature",
        headline=f"`features.columns` names `{key}`, and no such feature reaches the models",
        span=span,
        notes=gone if was_there else (Note(text=f"{len(known)} features reach them"),),
        help=did_you_mean(key, known, otherwise="those are"),
    )


def feature_type(name: str, kind: str, wanted: str, span: Span | None) -> Diagnostic:
    """A feature is of another type than its contract says."""
    return Diagnostic(
        code="feature-type",
        headline=f"feature `{name}` is {kind} after the last step, and its contract says {wanted}",
        span=span,
        help="`cast` it in a step, or change the contract",
    )


def no_numbers(names: Sequence[str], asked: Sequence[str], span: Span | None) -> Diagnostic:
    """A contract asks of a category what only numbers have."""
    many = len(names) > 1
    return Diagnostic(
        code="feature-type",
        headline=f"{listing(names)} {'are categories' if many else 'is a category'} after the last step, and "
        f"{listing(asked)} of a contract {'are' if len(asked) > 1 else 'is'} for numbers",
        span=span,
        help="promise it of the column under `data.columns`, or encode it in a step",
    )


def not_taken(columns: Sequence[Column], unable: Sequence[str], span: Span | None) -> Diagnostic:
    """Columns of texts reach models that take numbers only."""
    many, several = len(columns) > 1, len(unable) > 1
    them = "them" if many else "it"
    what = f"{len(columns)} columns reach" if many else f"column `{columns[0].name}` reaches"
    return Diagnostic(
        code="feature-not-numeric",
        headline=f"{what} the models as text; {listing(unable)} take{'' if several else 's'} numbers",
        span=span,
        notes=(Note(text=f"they are {listing(column.name for column in columns)}"),) if many else (),
        help=f"encode {them} with `one_hot`, `drop` {them}, or list {them} under `data.ignore`",
    )


def too_many(certain: int, most: int, span: Span | None) -> Diagnostic:
    """More features reach the models than the recipe allows, whatever the data hold."""
    return Diagnostic(
        code="too-many-features",
        headline=f"there may be {most} features, and at least {certain} reach the models",
        span=span,
        help="let a step choose among them (`select_k_best`, `drop_correlated`), or raise `features.at_most`",
    )


def bad_pattern(key: str, reason: str, span: Span | None) -> Diagnostic:
    """A pattern is no regular expression."""
    return Diagnostic(
        code="bad-expression",
        headline=f"`features.columns` names features by {key}, which is no pattern",
        span=span,
        notes=(Note(text=reason),),
    )
