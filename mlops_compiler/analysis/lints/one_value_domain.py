"""A domain with one value searches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule
from mlops_compiler.ir.domain import grid
from mlops_compiler.ir.ops.preparation import Vary
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.space import shown_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def one_value_domain(subject: Subject) -> Iterator[Finding]:
    """Find search domains that can give a single value."""
    for candidate in subject.program.the(Search)[1].candidates:
        for name, domain in candidate.space.items():
            values = set(grid(domain))
            if len(values) == 1:
                (only,) = values
                yield Finding(
                    headline=f"`{name}` of model `{candidate.name}` is searched, and can only be {only}",
                    span=subject.at("models", candidate.name, name),
                    help=f"write the value: `{name}: {only}`",
                )
    for item in (item for _, vary in subject.program.of(Vary) for item in vary.dimensions):
        points = grid(item.domain)
        if len(points) == 1:
            yield Finding(
                headline=f"`{item.name}` is searched, and can only be {shown_value(points[0])}",
                span=item.span,
                help="write the value in place of the domain",
            )


RULE = Rule(code="one-value-domain", check=one_value_domain, levels=ADVICE)
