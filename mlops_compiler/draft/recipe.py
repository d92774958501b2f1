"""Writes a recipe as text: each line that rests on the data says so behind it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mlops_compiler.draft.roles import roles
from mlops_compiler.draft.steps import prepare
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.draft.roles import Roles
    from mlops_compiler.draft.table import Table

_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"}
_LEVELS = 20
_MEMBERS = 8
_LONG_TAIL = 1.0
"""The skewness from which on errors are taken to grow with the target."""
_SMALL = 20_000
"""Rows up to which an engine of processes costs more than it brings: see `python -m benchmarks engines`."""


def draft(table: Table, name: str, target: str, positive: str | None, source: str) -> str:
    """Write a recipe for a table.

    Args:
        table: The table.
        name: What the recipe is called.
        target: The column to predict.
        positive: Its value that counts, as a text; the rarer of two, where not given.
        source: The path of the file, from the recipe's folder.

    Returns:
        The recipe: complete, commented, and ready to run.

    Raises:
        DataError: The target is not there, or holds nothing that could be predicted.
    """
    found = roles(table, name, target, positive)
    lines = [
        "# yaml-language-server: $schema=recipe.schema.json",
        f"# Drafted from {found.found.rows:,} rows of {source}; every line is a proposal, and yours to change.",
        f"name: {name}",
        *_objective(found),
        "",
        *_data(found, table, source),
        "",
        *prepare(found, table),
        *_rest(found),
    ]
    return "\n".join(lines) + "\n"


def quoted(value: Any) -> str:
    """Write a value as YAML reads it back."""
    if isinstance(value, str):
        return (
            value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value, ensure_ascii=False)
        )
    return json.dumps(value)


def listed(values: Any) -> str:
    """Write a list on one line."""
    return f"[{', '.join(quoted(value) for value in values)}]"


def comment(text: str) -> str:
    """Write a remark behind a line: one line, whatever it holds."""
    return f"  # {' '.join(text.split())}"


def _objective(found: Roles) -> Iterator[str]:
    about, counts = found.about, found.found.target
    share = next((item["rows"] / found.found.rows for item in counts if item["value"] == _shown(about.positive)), None)
    yield ""
    yield "objective:"
    yield f"  task: {found.task}"
    yield f"  target: {quoted(about.target)}"
    if found.computed is not None:
        yield f"  target_is: {json.dumps(found.computed)}"
    remark = comment("raise it to what the model must reach to be of use")
    if found.task == "regression":
        yield "  metric: rmse"
        yield "  report: [mae, r2]"
        yield f"  accept: {{r2: {{at_least: 0.1}}}}{remark}"
        return
    if found.task == "multiclass_classification":
        yield f"  metric: log_loss{comment(f'{len(counts)} classes')}"
        yield "  report: [balanced_accuracy, f1_macro, roc_auc_ovr]"
        yield f"  accept: {{roc_auc_ovr: {{at_least: 0.6}}}}{remark}"
        return
    told = comment(f"{share:.1%} of the rows") if share is not None else ""
    yield f"  positive: {quoted(about.positive)}{told}"
    rare = any(item.kind == "imbalanced" for item in found.found.findings)
    yield f"  metric: {'average_precision' if rare else 'roc_auc'}"
    yield f"  report: [{'roc_auc' if rare else 'average_precision'}, log_loss, brier]"
    yield f"  accept: {{roc_auc: {{at_least: 0.6}}}}{remark}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _outcome(found: Roles) -> str:
    """Name the column that the target is, or is computed from."""
    return found.about.late[0] if found.computed is not None else found.about.target or ""


def _data(found: Roles, table: Table, source: str) -> Iterator[str]:
    about, read = found.about, table.read
    extra = ""
    if read.kind == "csv":
        extra += f", separator: {json.dumps(read.separator)}" if read.separator != "," else ""
        extra += f", null_values: {listed(read.null_values)}" if len(read.null_values) > 2 else ""  # noqa: PLR2004
    yield "data:"
    yield f"  source: {{kind: {read.kind}, path: {quoted(source)}{extra}}}"
    if about.key:
        yield f"  key: {quoted(about.key)}{comment('another value in each row')}"
    if about.time:
        yield f"  time: {quoted(about.time)}{comment('orders the rows: validation looks ahead, as production does')}"
    if about.groups:
        yield f"  group: {quoted(about.groups[0])}{comment('its rows stay on one side of a split')}"
    outcome = _outcome(found)
    if outcome in table.types and (gaps := table.rows[outcome].null_count()):
        where = json.dumps(f'"{outcome}" IS NOT NULL')
        yield f"  where: {where}{comment(f'{gaps:,} rows do not say what is to be predicted')}"
    if found.ignore:
        yield "  ignore:"
        yield from (f"    - {quoted(name)}{comment(why)}" for name, why in found.ignore.items())
    yield "  columns:"
    profiles = {column["name"]: column for column in found.found.columns}
    for name, kind in table.types.items():
        if name not in found.ignore:
            yield _column(name, kind, profiles.get(name, {}), found, table)


def _column(name: str, kind: str, profile: dict[str, Any], found: Roles, table: Table) -> str:
    says = [f"type: {kind}"]
    levels = [item["level"] for item in profile.get("levels", ())]
    if kind == "category" and len(levels) == profile["distinct"] <= _LEVELS and name != found.about.key:
        says.append(f"one_of: {listed(levels)}")
    if table.rows[name].null_count() and name != found.about.target:
        says.append("nullable: true")
    remark = ""
    if name in found.late:
        says.append("known: after_outcome")
        remark = comment(f"{found.late[name]}: is it known in time? If so, take `known` away")
    elif name in found.about.late:
        says.append("known: after_outcome")
        remark = comment("the target is computed from it")
    elif "quartiles" in profile:
        remark = comment(f"{profile['least']:g} to {profile['greatest']:g}, median {profile['quartiles'][1]:g}")
    return f"    {quoted(name)}: {{{', '.join(says)}}}{remark}"


def _rest(found: Roles) -> Iterator[str]:
    about = found.about
    kind = "time_ordered" if about.time else "grouped" if about.groups else "stratified"
    yield "validate:"
    yield f"  holdout: {{kind: {kind}, fraction: 0.2}}{comment('touched once, after selection')}"
    yield f"  folds: {{kind: {kind}, k: {3 if found.found.rows > 100_000 else 5}}}"  # noqa: PLR2004
    yield "  seed: 1"
    yield ""
    target = next((item for item in found.found.columns if item["name"] == _outcome(found)), {})
    yield from _models(regression=found.task == "regression", long_tail=_has_long_tail(target))
    yield ""
    yield f"search: {{algorithm: tpe, scheduler: asha, trials: 30}}{comment('more trials, a better model')}"
    yield (
        f"select: {{rule: best, ensemble: {_MEMBERS}}}"
        f"{comment('the mean of several is often best; one_standard_error takes the simplest of those as good')}"
    )
    if found.found.rows <= _SMALL:
        yield f"cluster: {{engine: in_process}}{comment('a table this small is done before Ray has started')}"


def _has_long_tail(profile: dict[str, Any]) -> bool:
    """Say whether values are never negative, and a few of them much larger than most."""
    return (profile.get("least") or 0.0) >= 0 and (profile.get("skew") or 0.0) > _LONG_TAIL


def _models(*, regression: bool, long_tail: bool) -> Iterator[str]:
    """Propose models that err in different ways, the cheap ones first: an ensemble gains from each."""
    boosting = "lightgbm" if "lightgbm" in MODELS else "hist_gradient_boosting"
    yield "models:"
    yield f"  baseline: {{kind: {'mean' if regression else 'prior'}}}{comment('what a model must beat')}"
    yield "  linear: {kind: ridge}" if regression else "  linear: {kind: logistic_regression}"
    yield f"  boosting: {{kind: {boosting}}}"
    if regression and long_tail:
        yield f"  relative: {{kind: {boosting}, loss: poisson}}{comment('errors grow with a target of a long tail')}"
    yield "  forest: {kind: extra_trees, min_samples_leaf: {choice: [2, 5]}, max_features: 0.5}"
