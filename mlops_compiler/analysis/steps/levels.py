"""Steps that turn levels, texts and dates into numbers, or into fewer levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mlops_compiler.analysis import wording_steps
from mlops_compiler.analysis.steps.common import copied, quoted, resolve
from mlops_compiler.ir.ops import prepare as ops
from mlops_compiler.ir.schema import Role
from mlops_compiler.ir.task import learns_from_target
from mlops_compiler.recipe import prepare as steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_compiler.analysis.site import Site

OnLevels: TypeAlias = steps.Frequency | steps.Hash | steps.GroupRare
_SAYS_ALL: dict[type[OnLevels], type[ops.StepOp]] = {
    steps.Frequency: ops.Frequency,
    steps.Hash: ops.HashEncode,
    steps.GroupRare: ops.GroupRare,
}
"""Steps that say all that their op does, and take columns of any type."""
_EXTRACTS = {"weekday": "ISODOW", "day_of_year": "DOY"}
"""How SQL calls the parts that it does not call as we do."""
_PERIODS = {
    "quarter": 4,
    "month": 12,
    "week": 53,
    "day": 31,
    "weekday": 7,
    "day_of_year": 366,
    "hour": 24,
    "minute": 60,
}
"""How many values a part has before it comes round."""
_OF_A_DAY = {"hour", "minute"}


@resolve.register(steps.OneHot)
def _(step: steps.OneHot, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    for name in site.schema.names:
        site.no_indicator(name, site.span("columns"), columns)
    return copied(step, ops.OneHot, columns)


@resolve.register(steps.Ordinal)
def _(step: steps.Ordinal, site: Site) -> ops.StepOp | None:
    columns = site.no_times(site.columns(step.columns), "texts, numbers or booleans to put in order")
    return copied(step, ops.Ordinal, columns)


@resolve.register(steps.Frequency)
@resolve.register(steps.Hash)
@resolve.register(steps.GroupRare)
def _(step: OnLevels, site: Site) -> ops.StepOp | None:
    return copied(step, _SAYS_ALL[type(step)], site.columns(step.columns))


@resolve.register(steps.TargetEncode)
def _(step: steps.TargetEncode, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    if site.task == "multiclass_classification" or not learns_from_target(site.task):
        what, advice = "a target of two classes, or of numbers", "encode levels by `one_hot`, `frequency` or `hash`"
        site.sink.add(wording_steps.not_for_task(site.name, step.op, what, advice, site.span("op")))
        return None
    return copied(step, ops.TargetEncode, columns, continuous=site.task == "regression")


@resolve.register(steps.TextTopics)
def _(step: steps.TextTopics, site: Site) -> ops.StepOp | None:
    return copied(step, ops.Topics, site.texts(site.columns(step.columns)))


@resolve.register(steps.TextCounts)
def _(step: steps.TextCounts, site: Site) -> ops.StepOp | None:
    columns = site.texts(site.columns(step.columns))
    made = tuple((f"{name}_{count}", _counted(name, count)) for name in columns for count in step.counts)
    return _derived(site, made, () if step.keep else columns)


def _counted(name: str, count: str) -> str:
    """Count by what is left when the others are taken away."""
    text = quoted(name)
    if count == "chars":
        return f"CAST(LENGTH({text}) AS BIGINT)"
    if count == "words":  # each word becomes one letter, and what lies between them goes
        return f"CAST(LENGTH(REGEXP_REPLACE(REGEXP_REPLACE({text}, '\\S+', 'w'), '\\s+', '')) AS BIGINT)"
    others = {"digits": "[^0-9]", "capitals": "[^\\p{Lu}]"}[count]
    return f"CAST(LENGTH(REGEXP_REPLACE({text}, '{others}', '')) AS BIGINT)"


@resolve.register(steps.DateParts)
def _(step: steps.DateParts, site: Site) -> ops.StepOp | None:
    columns = site.times(site.columns(step.columns))
    if wanted := [part for part in step.parts if part in _OF_A_DAY]:
        columns = site.datetimes(columns, f"dates with a time of day to take the {wanted[0]} of")
    made = tuple(pair for name in columns for pair in _parts(name, step.parts, cyclical=step.cyclical))
    return _derived(site, made, () if step.keep else columns)


def _parts(name: str, parts: Iterable[str], *, cyclical: bool) -> Iterator[tuple[str, str]]:
    for part in parts:
        number = f"CAST(EXTRACT({_EXTRACTS.get(part, part.upper())} FROM {quoted(name)}) AS BIGINT)"
        if cyclical and part in _PERIODS:
            turn = f"2 * PI() * CAST({number} AS DOUBLE) / {_PERIODS[part]}"
            yield from ((f"{name}_{part}_{wave}", f"{wave.upper()}({turn})") for wave in ("sin", "cos"))
        else:
            yield f"{name}_{part}", number


def _derived(site: Site, made: tuple[tuple[str, str], ...], gone: Iterable[str]) -> ops.StepOp | None:
    """Compute columns from one each, which goes where it would else reach a model."""
    for name, _ in made:
        site.no_indicator(name, site.span("columns"))
    left = tuple(name for name in gone if site.schema[name].role is Role.FEATURE)
    return ops.Derive(expressions=made, remove=left) if made else None
