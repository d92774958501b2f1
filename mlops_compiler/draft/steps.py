"""The steps of a drafted recipe: what the findings ask for, with the reason of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_compiler.draft.roles import Roles
    from mlops_compiler.draft.table import Table

_GAPS = ("missing-tells", "missing-not-at-random", "mostly-missing")


def prepare(found: Roles, table: Table) -> Iterator[str]:
    """Write the steps that bring the features to numbers without gaps."""
    from mlops_compiler.draft.recipe import listed

    steps = list(_steps(found, table))
    if not steps:
        return
    levels = any(item["kind"] == "level" for item in _features(found, table).values())
    yield "prepare:  # texts need no step: each model sees their levels as it can" if levels else "prepare:"
    for name, op, columns, rest, because in steps:
        chosen = columns if isinstance(columns, str) else listed(columns)
        yield f"  {name}: {{op: {op}, columns: {chosen}{rest}, because: {_text(because)}}}"
    yield ""


def _steps(found: Roles, table: Table) -> Iterator[tuple[str, str, str | list[str], str, str]]:
    features = _features(found, table)
    kinds = {name: column["kind"] for name, column in features.items()}
    gaps = {name for name, column in features.items() if column["missing"] or table.rows[name].null_count()}
    telling = {item.columns[0] for item in found.found.findings if item.kind in _GAPS} & gaps
    numbers = [name for name in gaps if kinds[name] == "number"]
    if some := sorted(set(numbers) & telling, key=list(features).index):
        yield "told_gaps", "impute", some, ", with: median, indicator: true", "that they are missing tells something"
    if some := sorted(set(numbers) - telling, key=list(features).index):
        yield "gaps", "impute", some, ", with: median", "nothing shows that they are missing for a reason"
    if some := [name for name in features if name in gaps and kinds[name] == "truth"]:
        yield "usual", "impute", some, ", with: mode", "few values are missing"
    if dates := [name for name in features if kinds[name] == "time"]:
        yield "calendar", "date_parts", dates, ", parts: [year, month, weekday]", "models take no dates"
    yield from _tails(found, features)
    if many := [item.columns[0] for item in found.found.findings if item.kind == "many-levels"]:
        chosen = [name for name in features if name in many]
        op = "frequency" if found.task == "multiclass_classification" else "target_encode"
        yield from _if(chosen, "rates", op, "", "too many levels for an indicator each")
    if any(kind == "number" for kind in kinds.values()):
        yield "scale", "standardize", "numeric", "", "linear models weigh all columns alike then"


def _features(found: Roles, table: Table) -> dict[str, dict[str, Any]]:
    no_feature = {*found.about.roles, *found.ignore, *found.late, *found.about.late}
    return {
        column["name"]: column
        for column in found.found.columns
        if column["name"] not in no_feature and column["name"] in table.types
    }


def _tails(found: Roles, features: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, str | list[str], str, str]]:
    """Bring in what lies far out: by a logarithm where nothing is negative, else by Yeo and Johnson's power."""
    far = {item.columns[0] for item in found.found.findings if item.kind in ("outliers", "skewed")}
    tailed = [name for name in features if name in far]
    positive = [name for name in tailed if (features[name].get("least") or 0.0) >= 0]
    yield from _if(positive, "long_tails", "log1p", "", "a few values lie far out")
    rest = [name for name in tailed if name not in positive]
    yield from _if(rest, "both_tails", "yeo_johnson", "", "a few values lie far out, some of them below zero")


def _if(
    columns: Iterable[str], name: str, op: str, rest: str, because: str
) -> Iterator[tuple[str, str, str | list[str], str, str]]:
    if chosen := list(columns):
        yield name, op, chosen, rest, because


def _text(because: str) -> str:
    return f'"{because}"' if "," in because or ":" in because else because
