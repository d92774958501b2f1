"""What has moved within slices: rows of one level of a column, beside rows of the same level in training.

A slice can move where all rows together do not: it is small, or others move against it. And where all rows move, each
slice does, which is no news. So a slice that moved is asked whether the other rows moved too. Where they did, its
reference is carried along first: done to it is the least movement that takes all rows from then to now, the optimal
transport of one column (Peyré and Cuturi, Computational Optimal Transport, 2019). The slice must then differ from that
as well, and be far off the way there. The tests of all slices are one family.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.significance import adjusted
from mlops_compiler.explain.conditions import conditions
from mlops_compiler.monitoring.distribution import distribution
from mlops_compiler.monitoring.drift import compare, drift_json, names, sentence, unit_of
from mlops_compiler.monitoring.findings import Rule
from mlops_compiler.monitoring.moving import answers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.watching import RuleKind
    from mlops_compiler.monitoring.distribution import Distribution
    from mlops_compiler.monitoring.drift import Moved
    from mlops_compiler.monitoring.reference import Reference
    from mlops_compiler.monitoring.watch import DriftLimits, Watch

    Mask = NDArray[np.bool_]

_TOO = 0.5
"""By this share of the limit the other rows must have moved to have moved too."""
PARTS = "slices"
"""What rules are about that tell of slices which could not be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """What is compared slice by slice: inputs, or answers.

    Attributes:
        kind: Of the rules.
        before: The reference.
        sliced: The same rows by the columns of slices.
        now: What was observed.
        wholes: The distribution of all rows, before and now, of each column that is compared.
    """

    kind: RuleKind
    before: pl.DataFrame
    sliced: pl.DataFrame
    now: pl.DataFrame
    wholes: Mapping[str, tuple[Distribution, Distribution]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One column in one slice.

    Attributes:
        moved: How far it moved.
        effect: How far beyond what all rows show.
        p: How likely that is by chance, of this comparison alone.
    """

    kind: RuleKind
    part: str
    column: str
    rows: int
    limit: float
    moved: Moved
    effect: float
    p: float


def moved_within(
    reference: Reference, inputs: pl.DataFrame, answers: pl.DataFrame, watch: Watch
) -> tuple[list[Rule], list[dict[str, Any]]]:
    """Compare each slice with the same slice of the reference, column by column.

    Args:
        reference: What they are compared with.
        inputs: The columns of the requests.
        answers: What was answered, in the same order.
        watch: What counts as drift, and the columns of slices.

    Returns:
        For inputs and for answers a rule for each slice, one about slices that are too small; and what was measured of
        the column that moved farthest in each.
    """
    limits, rows = watch.drift, reference.rows
    if limits is None or not watch.slices or inputs.height < watch.at_least:
        return [], []
    if rows is None:
        return [_unseen("drift", "the store keeps the training rows no longer, so not their slices", inputs.height)], []
    sliced = [name for name in watch.slices if name in rows.columns and name in inputs.columns]
    rules, found = list[Rule](), list[_Found]()
    for side in _sides(reference, inputs, answers, limits):
        few = []
        for name in sliced:
            both = pl.concat([side.sliced[name].cast(inputs.schema[name], strict=False), inputs[name]])
            for condition in conditions(both, like=rows[name].cast(inputs.schema[name], strict=False)):
                then, now = condition.mask[: side.before.height], condition.mask[side.before.height :]
                if min(then.sum(), now.sum()) < watch.at_least:
                    few.append(condition.label)
                else:
                    found += _compared(side, condition.label, name, (then, now), limits)
        if few:
            why = f"fewer than {watch.at_least:,} rows, then or now, are of {names(few)}"
            rules.append(_unseen(side.kind, why, inputs.height))
    told = list(_told(found, limits))
    return [*(rule for rule, _ in told), *rules], [item for _, item in told]


def carried(part: Distribution, before: Distribution, now: Distribution) -> Distribution:
    """Do to a part what happened to the whole, with the least movement.

    Numbers keep their rank. Of a category that lost, that share goes to those that gained, by what each has gained.

    Args:
        part: The distribution of some of the rows of `before`.
        before: That of all rows.
        now: What has become of it.
    """
    if part.type == "number":
        reached = np.concatenate([[0.0], np.cumsum(before.counts)]) / np.sum(before.counts)
        places = [np.searchsorted(before.values, part.values, side=side) for side in ("left", "right")]
        ranks = (reached[places[0]] + reached[places[1]]) / 2
        found = np.searchsorted(np.cumsum(now.counts) / np.sum(now.counts), ranks)
        return replace(part, values=tuple(now.values[place] for place in found.clip(0, len(now.values) - 1)))
    levels = list(dict.fromkeys((*before.values, *now.values, *part.values)))
    old, new, own = (_shares(side, levels) for side in (before, now, part))
    kept = own * np.divide(np.minimum(old, new), old, out=np.ones_like(old), where=old > 0)
    gained = np.maximum(new - old, 0.0)
    lost = max(0.0, 1 - kept.sum())
    shares = kept + lost * gained / (gained.sum() or 1.0)
    return replace(part, values=tuple(levels), counts=tuple(map(float, shares * part.known)))


def _shares(given: Distribution, levels: Sequence[Any]) -> NDArray[np.float64]:
    counts = dict(zip(given.values, given.counts, strict=True))
    return np.array([counts.get(level, 0.0) for level in levels]) / (sum(given.counts) or 1.0)


def _sides(reference: Reference, inputs: pl.DataFrame, answers: pl.DataFrame, limits: DriftLimits) -> Iterator[_Side]:
    """Give the inputs beside the training rows, and the answers beside those to the holdout."""
    if reference.rows is not None:
        wholes = {
            name: (then, distribution(inputs[name], then.type))
            for name, then in reference.inputs.items()
            if name in inputs.columns and name in reference.rows.columns and limits.compares(name)
        }
        yield _Side(kind="drift", before=reference.rows, sliced=reference.rows, now=inputs, wholes=wholes)
    if reference.held is not None and reference.holdout is not None:
        before = answers_of(reference.held, reference.manifest)
        wholes = {
            name: (then := distribution(before[name]), distribution(answers[name], then.type))
            for name in before.columns
        }
        yield _Side(kind="prediction_drift", before=before, sliced=reference.holdout, now=answers, wholes=wholes)


def _compared(side: _Side, part: str, own: str, chosen: tuple[Mask, Mask], limits: DriftLimits) -> Iterator[_Found]:
    """Compare all columns of a slice but that which makes it."""
    for name, wholes in side.wholes.items():
        if name == own:
            continue
        old, new = _distributions(side, name, chosen)
        if (moved := compare(old, new)) is None:
            continue
        limit = limits.limit(name, moved.type)
        effect, p = moved.effect, moved.p
        if _drifts(moved, limit, limits):
            others = compare(*_distributions(side, name, (~chosen[0], ~chosen[1])))
            if others is None or _drifts(others, limit * _TOO, limits):
                effect, p = _beyond(moved, (old, new), wholes)
        yield _Found(
            kind=side.kind, part=part, column=name, rows=new.rows, limit=limit, moved=moved, effect=effect, p=p
        )  # fmt: skip


def _distributions(side: _Side, name: str, chosen: tuple[Mask, Mask]) -> tuple[Distribution, Distribution]:
    kind = side.wholes[name][0].type
    then, now = (pl.Series(mask) for mask in chosen)
    return distribution(side.before[name].filter(then), kind), distribution(side.now[name].filter(now), kind)


def _drifts(moved: Moved, limit: float, limits: DriftLimits) -> bool:
    return moved.p <= limits.level and moved.effect >= limit


def _beyond(
    moved: Moved, part: tuple[Distribution, Distribution], wholes: tuple[Distribution, Distribution]
) -> tuple[float, float]:
    """Say how far a slice is off the way that all rows went, and how likely that is by chance.

    How far is Gromov's product: all that it moved farther than they, nothing where it went a part of their way. Both
    tests must say that it is no chance, so the greater p counts (Berger, Technometrics, 1982).
    """
    old, new = part
    there, unit = carried(old, *wholes), unit_of(old) if old.type == "number" else None
    along, apart = compare(old, there, unit), compare(there, new, unit)
    assert along is not None  # noqa: S101 - all of them have values
    assert apart is not None  # noqa: S101
    return max(0.0, (moved.effect + apart.effect - along.effect) / 2), max(moved.p, apart.p)


def _told(found: Sequence[_Found], limits: DriftLimits) -> Iterator[tuple[Rule, dict[str, Any]]]:
    """Tell of each slice by the column that moved farthest in it."""
    rates = adjusted([item.p for item in found])
    slices: dict[tuple[RuleKind, str], list[tuple[bool, float, _Found]]] = {}
    for item, rate in zip(found, rates, strict=True):
        drifted = rate <= limits.level and item.effect >= item.limit
        slices.setdefault((item.kind, item.part), []).append((drifted, rate, item))
    for (kind, part), columns in slices.items():
        ranked = sorted(columns, key=lambda one: (not one[0], -one[2].effect / one[2].limit))
        (drifted, rate, worst), moved = ranked[0], [item.column for fired, _, item in ranked if fired]
        why = f"where {part}, {sentence(worst.column, worst.moved)}; {worst.effect:.2f} is beyond what all rows show"
        more = f", and so of {names(moved[1:])}" if len(moved) > 1 else ""
        rule = Rule(
            rule=f"{kind}:{part}", kind=kind, fired=drifted, value=worst.effect, limit=worst.limit, why=f"{why}{more}",
            p=rate, rows=worst.rows,
        )  # fmt: skip
        told = {
            **drift_json(worst.column, kind, worst.moved, worst.limit, rate),
            "slice": part,
            "effect": worst.effect,
            "moved": worst.moved.effect,
            "drifted": drifted,
            "columns": moved,
            "compared": len(columns),
            "rows": worst.rows,
        }
        yield rule, told


def _unseen(kind: RuleKind, why: str, rows: int) -> Rule:
    return Rule(rule=f"{kind}:{PARTS}", kind=kind, why=why, rows=rows, looked=False)
