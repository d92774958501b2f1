"""A shallow tree on what was wrong: sentences that say where, grown on half of the rows and told by the rest.

What chose a leaf would make it look worse than it is; so one half of the rows grows the tree, and the other half says
how often predictions are wrong in each leaf (Athey and Imbens, "Recursive partitioning for heterogeneous causal
effects", PNAS, 2016).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.significance import FEWEST, adjusted

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEPTH, _LEVELS, _SHARE = 3, 10, 0.02
_HALVES = 2


def leaves(rows: pl.DataFrame, wrong: NDArray[np.bool_], expected: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Tell the leaves in which predictions are wrong more often than elsewhere.

    Args:
        rows: What was asked, by the columns of a request.
        wrong: Whether each prediction was, shape (rows,).
        expected: How likely that was to be, by the prediction itself; shape (rows,).

    Returns:
        The worst first: ``where``, ``rows``, ``wrong`` and ``expected`` (shares), ``rest`` (the share elsewhere), ``p``
        and ``q``; of the half that did not grow the tree.
    """
    from sklearn.tree import DecisionTreeClassifier

    grows = np.random.default_rng(0).permutation(rows.height) % _HALVES == 0
    least = max(FEWEST, round(_SHARE * rows.height))
    if grows.sum() < 2 * least or len(np.unique(wrong[grows])) < 2:  # noqa: PLR2004 - both of it
        return []
    matrix, names = _matrix(rows)
    tree = DecisionTreeClassifier(max_depth=_DEPTH, min_samples_leaf=least, random_state=0)
    tree.fit(matrix[grows], wrong[grows])
    place = tree.apply(matrix)
    told = [
        _leaf(sentence, ~grows & (place == leaf), ~grows & (place != leaf), wrong, expected)
        for leaf, sentence in _sentences(tree.tree_, names).items()
    ]
    known = [item for item in told if item is not None]
    for item, rate in zip(known, adjusted([item["p"] for item in known]), strict=True):
        item["q"] = rate
    worse = [item for item in known if item["wrong"] > item["rest"]]
    return sorted(worse, key=lambda item: (item["q"], -item["wrong"]))


def _leaf(
    where: str,
    inside: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    expected: NDArray[np.float64],
) -> dict[str, Any] | None:
    from scipy.stats import fisher_exact

    rows, others = int(inside.sum()), int(outside.sum())
    if not where or min(rows, others) < FEWEST // 2:
        return None
    bad, rest = int(wrong[inside].sum()), int(wrong[outside].sum())
    p = float(fisher_exact([[bad, rows - bad], [rest, others - rest]]).pvalue)
    return {
        "where": where,
        "rows": rows,
        "wrong": bad / rows,
        "expected": float(expected[inside].mean()),
        "rest": rest / others,
        "p": p,
    }


def _matrix(rows: pl.DataFrame) -> tuple[NDArray[np.float64], list[tuple[str, str | None]]]:
    """Make numbers of the rows: numbers as they are, of levels one column each; what is missing is below all."""
    parts: list[NDArray[np.float64]] = []
    names: list[tuple[str, str | None]] = []
    for column in rows:
        if column.dtype.is_numeric():
            values = column.cast(pl.Float64).fill_nan(None)
            lowest = values.min()
            below = 0.0 if lowest is None else float(lowest) - 1  # type: ignore[arg-type]
            parts.append(values.fill_null(below).to_numpy())
            names.append((column.name, None))
            continue
        text = column.cast(pl.String)
        for level in text.drop_nulls().value_counts(sort=True).head(_LEVELS)[column.name].sort():
            parts.append((text == level).fill_null(value=False).cast(pl.Float64).to_numpy())
            names.append((column.name, level))
    return np.column_stack(parts), names


def _sentences(tree: Any, names: list[tuple[str, str | None]]) -> dict[int, str]:
    """Say of each leaf how one gets there."""
    found: dict[int, str] = {}

    def walk(node: int, path: tuple[str, ...]) -> None:
        if tree.children_left[node] < 0:
            found[node] = " and ".join(path)
            return
        (column, level), cut = names[tree.feature[node]], float(tree.threshold[node])
        left, right = (
            (f"{column} up to {cut:.6g}", f"{column} over {cut:.6g}")
            if level is None
            else (f"{column} ≠ {level}", f"{column} = {level}")
        )
        walk(int(tree.children_left[node]), (*path, left))
        walk(int(tree.children_right[node]), (*path, right))

    walk(0, ())
    return found
