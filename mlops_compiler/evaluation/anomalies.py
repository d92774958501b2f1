"""Metrics of scores that say how odd a row is: beside a target where there is one, and by themselves where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.evaluation.cuts import cut
from mlops_compiler.evaluation.scores import average_precision, roc_auc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]
    Labels = NDArray[np.int64]

_BINS = 40


def score(
    scores: Scores, others: Scores, threshold: float, contamination: float, labels: Labels | None
) -> dict[str, float]:
    """Compute all metrics that can be.

    Args:
        scores: How odd each row held out is, shape (rows,).
        others: What a model that was fitted on other rows says of them; shape (rows,).
        threshold: A row is flagged where its score is at least this.
        contamination: The share of rows that is looked at.
        labels: 1 for rows that are odd, shape (rows,); None where nobody knows.

    Raises:
        DataError: The rows are all odd, or none is.
    """
    found = {"stability": stability(scores, others), "flagged": float((scores >= threshold).mean())}
    if labels is None:
        return found
    if labels.min() == labels.max():
        headline = f"the {len(labels)} rows to score are all of one class: their metrics have no meaning"
        raise DataError([Diagnostic(code="one-class", headline=headline)])
    cuts = cut(labels, scores)
    looked_at = max(1, round(contamination * len(scores)))
    told = {"average_precision": average_precision(cuts), "roc_auc": roc_auc(cuts)}
    return {**told, "precision_at_k": precision_at(scores, labels, looked_at), **found}


def stability(scores: Scores, others: Scores) -> float:
    """Correlate the ranks that two models give the rows (Spearman); 0 where one gives them all the same."""
    ranks = [_ranks(values) for values in (scores, others)]
    if any(values.std() == 0 for values in ranks):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Scores) -> Scores:
    import polars as pl

    return pl.Series(values).rank("average").to_numpy()


def precision_at(scores: Scores, labels: Labels, looked_at: int) -> float:
    """Return the share of odd rows among those that score highest; of rows with equal scores a part counts."""
    last = np.sort(scores)[-looked_at]
    above, beside = scores > last, scores == last
    part = (looked_at - above.sum()) / beside.sum()
    return float((labels[above].sum() + part * labels[beside].sum()) / looked_at)


def histogram(scores: Scores) -> dict[str, list[float]]:
    """Count rows by score: ``from``, ``to`` and ``rows`` of bins of equal width."""
    rows, edges = np.histogram(scores, bins=_BINS)
    return {"from": edges[:-1].tolist(), "to": edges[1:].tolist(), "rows": rows.tolist()}


def flagged(scores: Scores, labels: Labels | None, threshold: float) -> dict[str, Any]:
    """Count the rows that are flagged, and of those the odd ones where that is known."""
    over = scores >= threshold
    found: dict[str, Any] = {"rows": int(over.sum()), "share": float(over.mean()), "threshold": threshold}
    if labels is not None:
        found |= {"odd": int(labels[over].sum()), "odd_in_all": int(labels.sum())}
    return found
