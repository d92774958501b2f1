"""The wording of what can be wrong with a single step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, Note, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.diagnostics import Span


def fills_its_group(step: str, names: Sequence[str], span: Span | None) -> Diagnostic:
    """A step fills the columns that make its groups."""
    return Diagnostic(
        code="group-conflict",
        headline=f"step `{step}` fills {listing(names)}, and takes its groups from it",
        span=span,
        help="take the groups from columns that it does not fill",
    )


def nothing_to_expect_from(step: str, names: Sequence[str], span: Span | None) -> Diagnostic:
    """A regression has no column to compute with."""
    return Diagnostic(
        code="nothing-to-learn",
        headline=f"step `{step}` has no other numeric column to expect {listing(names)} from",
        span=span,
        help="name some under `using`, or fill with `median`",
    )


def name_taken(step: str, name: str, span: Span | None) -> Diagnostic:
    """A column would get the name of another."""
    return Diagnostic(
        code="name-taken",
        headline=f"step `{step}` gives a column the name `{name}`, which another column has",
        span=span,
        help="choose another name, or drop the other column before",
    )


def not_for_task(step: str, op: str, what: str, advice: str, span: Span | None) -> Diagnostic:
    """A step needs a target of another kind."""
    headline = f"step `{step}` does not fit the task: `{op}` needs {what}"
    return Diagnostic(code="not-for-task", headline=headline, span=span, help=advice)


def after_selection(step: str, by: str, span: Span | None, selected_at: Span | None) -> Diagnostic:
    """A step comes after one of which only the data tell which columns it leaves."""
    return Diagnostic(
        code="after-selection",
        headline=f"step `{step}` comes after step `{by}`, of which only the data tell which columns it leaves",
        span=span,
        notes=(Note(text=f"`{by}` is here", span=selected_at),) if selected_at else (),
        help=f"move `{step}` before `{by}`: only other selections and changes of rows may come after it",
    )
