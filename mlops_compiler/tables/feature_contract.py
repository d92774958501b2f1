"""The contract after preparation, on the rows that models learn from: their count of features, and what each holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import Diagnostic, Note
from mlops_compiler.tables.casts import SAMPLES
from mlops_compiler.tables.distribution import asks, departures
from mlops_compiler.tables.preparation import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.ir.ops.features import CheckFeatures, FeatureCheck

_OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of one part of the contract.

    Attributes:
        key: How the recipe names the features.
        features: How many they are.
        wanted: What they must keep, in words.
        broken: How many of them do not.
        severity: ``error`` or ``warn``.
    """

    key: str
    features: int
    wanted: str
    broken: int
    severity: str


def check_features(
    op: CheckFeatures, features: Sequence[str], rows: pl.DataFrame
) -> tuple[tuple[Kept, ...], tuple[tuple[Diagnostic, str], ...]]:
    """Check prepared rows.

    Args:
        op: The contract.
        features: The features that the models get, by their full names.
        rows: The prepared rows that models learn from.

    Returns:
        What became of each part of the contract, and each breach with its severity.
    """
    kept, found = [], list[tuple[Diagnostic, str]]()
    if op.at_most is not None:
        over = len(features) > op.at_most
        found += [(_too_many(op, features), op.severity)] if over else []
        wanted = f"at most {op.at_most}"
        kept.append(Kept(key="all", features=len(features), wanted=wanted, broken=int(over), severity=op.severity))
    for check in op.checks:
        names = [name for name in expand(check.features, rows.columns) if name in features]
        broken = [list(_breaches(check, name, answers)) for name, answers in _answers(check, names, rows).items()]
        found += [(finding, check.severity) for findings in broken for finding in findings]
        if not names:
            found.append((_absent(check), check.severity))
        kept.append(
            Kept(
                key=check.key,
                features=len(names),
                wanted=_wanted(check),
                broken=sum(map(bool, broken)),
                severity=check.severity,
            )
        )
    return tuple(kept), tuple(found)


def _answers(check: FeatureCheck, names: Sequence[str], rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Ask all that there is to ask of some features in one scan."""
    asked: dict[str, pl.Expr] = {}
    for index, name in enumerate(names):
        own = asks(check, name, is_float=rows.schema[name].is_float())
        if check.range is not None:
            values = pl.col(name).cast(pl.Float64).fill_nan(None)
            outside = values.filter(~values.is_between(*check.range))
            own[_OUTSIDE] = pl.struct(outside.len().alias("rows"), outside.head(SAMPLES).implode().alias("samples"))
        asked |= {f"{index}|{key}": expression for key, expression in own.items()}
    if not asked or not rows.height:
        return {name: {} for name in names} if rows.height else {}
    answers = rows.select(**asked).row(0, named=True)
    told: dict[str, dict[str, Any]] = {name: {} for name in names}
    for label, answer in answers.items():
        place, _, key = label.partition("|")
        told[names[int(place)]][key] = answer
    return told


def _breaches(check: FeatureCheck, name: str, answers: Mapping[str, Any]) -> Iterator[Diagnostic]:
    if check.range is not None and (outside := answers[_OUTSIDE])["rows"]:
        low, high = check.range
        values = ", ".join(f"{value:g}" for value in dict.fromkeys(outside["samples"]))
        yield Diagnostic(
            code="contract-range",
            headline=f"feature `{name}` must lie between {low:g} and {high:g}: {outside['rows']:,} training rows break "
            "that",
            span=check.span,
            notes=(Note(text=f"for instance {values}"),),
            help="look what the steps make of the rows, or widen the contract",
        )
    for finding in departures(check, name, answers):
        yield replace(finding, headline=finding.headline.replace(f"column `{name}`", f"feature `{name}`", 1))


def _wanted(check: FeatureCheck) -> str:
    """Say in words what features must keep."""
    bounds = [(name, getattr(check, name)) for name in ("range", "mean", "std") if getattr(check, name) is not None]
    bounds += [(name, pair) for name, *pair in check.quantiles or ()]
    told = [f"{name} {low:g} to {high:g}" for name, (low, high) in bounds]
    told += [f"missing at most {check.missing:.1%}"] if check.missing is not None else []
    return ", ".join(told) or "there"


def _too_many(op: CheckFeatures, features: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        code="too-many-features",
        headline=f"there may be {op.at_most} features, and {len(features)} reach the models",
        span=op.span,
        help="let a step choose among them (`select_k_best`, `drop_correlated`), or raise `features.at_most`",
    )


def _absent(check: FeatureCheck) -> Diagnostic:
    return Diagnostic(
        code="unknown-feature",
        headline=f"`features.columns` names `{check.key}`, and the steps leave no such feature of these rows",
        span=check.span,
        help="its level is not in the training rows, is rare, or a step removes it: change the contract or the step",
    )
