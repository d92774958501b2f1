"""A name of a row, as a feature, is learned by heart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ADVICE, Finding, Rule
from mlops_compiler.ir.ops.intake import Check
from mlops_compiler.ir.ops.preparation import Matrix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject

_ID = re.compile(r"(^|_)(id|uuid|guid)$", re.IGNORECASE)


def id_like_feature(subject: Subject) -> Iterator[Finding]:
    """Find features that look like names of rows."""
    contract = {column.name: column for column in subject.program.the(Check)[1].columns}
    schema = subject.program.the(Matrix)[0].schema or ()
    reached = dict.fromkeys(origin for column in schema for origin in column.origins)
    for name in reached:
        column = contract.get(name)
        if column is not None and _ID.search(name) and column.one_of is None and column.range is None:
            yield Finding(
                headline=f"column `{name}` looks like the name of a row, and reaches the models",
                span=subject.key("data", "columns", name),
                help=f"write `key: {name}` or `group: {name}` under `data`, list it under `data.ignore`, "
                "or bound it by `one_of` in the contract",
            )


RULE = Rule(code="id-like-feature", check=id_like_feature, levels=ADVICE)
