"""What is amiss with what clients send, and with how they are served: shares, each beside the share that is allowed.

A share is beyond its limit where it is greater, and where so many of so few would be unlikely if the limit were true:
the exact binomial test. A 99th percentile is such a share as well, that of slower requests beside one in a hundred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.evaluation.significance import adjusted
from mlops_compiler.monitoring.findings import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_compiler.ir.watching import RuleKind
    from mlops_compiler.monitoring.distribution import Distribution
    from mlops_compiler.monitoring.reference import Reference
    from mlops_compiler.monitoring.watch import Watch

LEVEL = 0.01
"""Of the tests; those of the quality of data are one family."""
FEWEST = 30
"""Requests below which nothing is said of them."""
_REFUSED, _FAILED = (400, 413, 415, 422), 500
_WHAT = {"quality": "requests and values", "latency": "requests that were answered", "errors": "requests"}
_OUTSIDE = 0.1
_SLOWER = 0.01


def share_rule(rule: str, kind: RuleKind, found: tuple[int, int], limit: float, why: str) -> Rule:
    """Test whether a share is beyond its limit.

    Args:
        rule: The rule's name.
        kind: Its kind.
        found: How many, of how many.
        limit: The greatest share that is allowed.
        why: What is found, in words.
    """
    from scipy.stats import binom

    many, rows = found
    if rows < FEWEST:
        few = f"{rows} are too few to tell" if rows else "there is nothing to count"
        return Rule(rule=rule, kind=kind, why=f"{_WHAT[kind]}: {few}", rows=rows, looked=False, limit=limit)
    p = float(binom.sf(many - 1, rows, limit)) if many else 1.0
    return Rule(
        rule=rule,
        kind=kind,
        fired=many / rows > limit and p <= LEVEL,
        value=many / rows,
        limit=limit,
        why=f"{many:,} of {rows:,} {why}",
        p=p,
        rows=rows,
    )


def quality(reference: Reference, inputs: pl.DataFrame, traffic: pl.DataFrame, watch: Watch) -> list[Rule]:
    """Look at what is refused, missing, never seen in training, or beyond all that training has seen."""
    limits = watch.quality
    if limits is None:
        return []
    requests = int(traffic["requests"].sum())
    refused = int(traffic.filter(pl.col("status").is_in(_REFUSED))["requests"].sum())
    about = "requests break the contract"
    rules = [share_rule("quality:refused", "quality", (refused, requests), limits.refused, about)]
    for name, then in reference.inputs.items():
        if name in inputs.columns and inputs.height:
            rules += _of_column(name, then, inputs[name], watch)
    rates = adjusted([rule.p for rule in rules if rule.p is not None])
    chances = iter(rates)
    return [rule if rule.p is None else _adjusted(rule, next(chances)) for rule in rules]


def _adjusted(rule: Rule, p: float) -> Rule:
    from dataclasses import replace

    return replace(rule, p=p, fired=rule.fired and p <= LEVEL)


def _of_column(name: str, then: Distribution, now: pl.Series, watch: Watch) -> Iterator[Rule]:
    limits = watch.quality
    assert limits is not None  # noqa: S101 - asked before
    values = now.fill_nan(None) if now.dtype.is_float() else now
    known = values.drop_nulls()
    before = then.missing / then.rows if then.rows else 0.0
    missing = (values.len() - known.len(), values.len())
    why = f"values of {name} are missing; {before:.1%} were in training"
    yield share_rule(f"quality:missing:{name}", "quality", missing, min(1.0, before + limits.missing), why)
    if then.type == "category" and then.values:
        from mlops_compiler.monitoring.distribution import OTHERS, distribution

        found = distribution(known, then.type)
        unseen = {
            value: count for value, count in zip(found.values, found.counts, strict=True) if value not in then.values
        }
        if OTHERS not in then.values:
            shown = f", {max(unseen, key=lambda value: unseen[value])!r} most often" if unseen else ""
            why = f"values of {name} were not seen in training{shown}"
            many = (int(sum(unseen.values())), known.len())
            yield share_rule(f"quality:unseen:{name}", "quality", many, limits.unseen, why)
    if then.type == "number" and then.values:
        low, high = float(then.values[0]), float(then.values[-1])
        margin = _OUTSIDE * (high - low)
        numbers = known.cast(pl.Float64)
        outside = int(((numbers < low - margin) | (numbers > high + margin)).sum())
        why = f"values of {name} lie far outside {low:.6g} to {high:.6g}, which is all that training has seen"
        yield share_rule(f"quality:beyond:{name}", "quality", (outside, known.len()), limits.beyond, why)


def served(answered: pl.DataFrame, traffic: pl.DataFrame, watch: Watch) -> list[Rule]:
    """Look at how long requests take and how many fail.

    Args:
        answered: Rows that were answered; of a list each has the time that the whole took.
        traffic: What requests met with, by minute, release and status.
        watch: The limits.
    """
    rules = []
    if watch.latency_p99 is not None:
        seconds = _seconds(answered)
        slower = int((seconds > watch.latency_p99).sum())
        found = share_rule("latency:p99", "latency", (slower, seconds.len()), _SLOWER, "")
        p99 = None if not seconds.len() else float(seconds.quantile(0.99, "higher") or 0.0)
        why = found.why if not found.looked else f"all but one request in a hundred took up to {_time(p99)}"
        rules.append(
            Rule(
                rule=found.rule, kind="latency", fired=found.fired, value=p99, limit=watch.latency_p99, why=why,
                p=found.p, rows=found.rows, looked=found.looked,
            )
        )  # fmt: skip
    if watch.error_rate is not None:
        failed = int(traffic.filter(pl.col("status") >= _FAILED)["requests"].sum())
        requests = int(traffic["requests"].sum())
        rules.append(share_rule("errors:rate", "errors", (failed, requests), watch.error_rate, "requests failed"))
    return rules


def traffic_json(answered: pl.DataFrame, traffic: pl.DataFrame) -> dict[str, Any]:
    """Tell of the traffic of a window."""
    seconds = _seconds(answered)
    times = [side["time"].max() for side in (answered, traffic) if side.height]
    return {
        "requests": int(traffic["requests"].sum()) if traffic.height else seconds.len(),
        "errors": int(traffic.filter(pl.col("status") >= _FAILED)["requests"].sum()),
        "refused": int(traffic.filter(pl.col("status").is_in(_REFUSED))["requests"].sum()),
        "seconds_p50": None if not seconds.len() else seconds.quantile(0.5, "nearest"),
        "seconds_p99": None if not seconds.len() else seconds.quantile(0.99, "higher"),
        "last": max(times).isoformat() if times else None,  # type: ignore[type-var, union-attr]
    }


def stale(ages: dict[str, float | None], watch: Watch) -> list[Rule]:
    """Look at what is too old.

    Args:
        ages: Seconds since the last of each; None where there never was one.
        watch: The limits.
    """
    named = {
        "traffic": "the last request came",
        "labels": "the last outcome was told",
        "release": "the release was made",
        "source": "its data were taken in",
    }
    rules = []
    for what, limit in watch.stale.items():
        age = ages.get(what)
        why = f"{named[what]} {_time(age)} ago" if age is not None else f"{named[what]} at no time that is known"
        rules.append(
            Rule(
                rule=f"staleness:{what}", kind="staleness", fired=age is not None and age > limit, value=age,
                limit=limit, why=why, looked=age is not None,
            )
        )  # fmt: skip
    return rules


def _seconds(answered: pl.DataFrame) -> pl.Series:
    """Give the time of each request once: rows of a list share theirs."""
    return answered.unique(["time", "client", "seconds"])["seconds"].drop_nulls()


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "none"
    units: Sequence[tuple[float, str]] = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))
    for size, unit in units:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} seconds" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
