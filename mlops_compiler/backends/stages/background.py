"""The background of a release: a few training rows, as the source has them, that explanations compare a row with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.ir.ops.lifecycle import Train
from mlops_compiler.tables.account import ROW
from mlops_compiler.tables.preparation import FittedPreparation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.rows import Rows

ROWS = 50
"""As many as show the data, and few enough to walk every tree with each of them."""
_DRAWN = 4 * ROWS


def background_of(context: Context, read: Rows, final: dict[str, Any], columns: Sequence[str]) -> str:
    """Draw the background and keep it; rows that the preparation drops are none of it.

    Args:
        context: The stage.
        read: The rows of the snapshot.
        final: The preparation of the release.
        columns: What a request holds.

    Returns:
        The digest of the table.
    """
    taught = read.frame.filter(read.learns())
    drawn = taught.sample(min(_DRAWN, taught.height), shuffle=True, seed=seed_of(context.op(Train).seed, "background"))
    preparation = FittedPreparation.from_json(final["preparation"])
    kept = preparation.transform(drawn.with_row_index(ROW), "scoring")[ROW]
    return context.put_table(drawn[kept.sort().head(ROWS)].select(columns))
