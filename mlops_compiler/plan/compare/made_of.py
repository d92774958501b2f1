"""What two runs were made of: their recipes, the code, the environment. Old runs recorded the stages' part only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.plan.compare.part import KeyChange, Keys, compare_keys
from mlops_compiler.plan.compare.sides import not_recorded
from mlops_compiler.plan.diff import VERSION
from mlops_compiler.plan.stages import PARENTS

if TYPE_CHECKING:
    from mlops_compiler.plan.compare.sides import Side

_ELSEWHERE = ("data.source.digest", VERSION)
"""Ingredients that are compared with the data and the code, not with the recipe."""


def compare_recipes(before: Side, after: Side) -> Keys:
    """Compare the composed recipes key by key; where one is not recorded, what the stages depend on."""
    (old, why_old), (new, why_new) = _recipe(before), _recipe(after)
    if old is None or new is None:
        told = [why for why in (why_old, why_new) if why] + ["this is what the stages depend on"]
        return Keys(changes=_ingredients(before, after), missing=("; ".join(told),))
    return Keys(changes=(*compare_keys(old, new), *_order_of_steps(old, new)))


def _recipe(side: Side) -> tuple[dict[str, Any] | None, str | None]:
    digest = side.run.summary.get("recipe")
    if not isinstance(digest, str):
        return None, not_recorded("the composed recipe is", side)
    return side.read_json(digest)


def _order_of_steps(old: dict[str, Any], new: dict[str, Any]) -> tuple[KeyChange, ...]:
    """The order of steps changes results, and is no value of any key."""
    first, second = list(old.get("prepare") or {}), list(new.get("prepare") or {})
    if first == second or set(first) != set(second):
        return ()
    return (KeyChange(key="prepare (order)", change="changed", before=first, after=second),)


def _ingredients(before: Side, after: Side) -> tuple[KeyChange, ...]:
    both = [name for name in PARENTS if name in before.stages and name in after.stages]
    old, new = ({key: value for name in both for key, value in _of_stage(side, name)} for side in (before, after))
    return compare_keys(old, new)


def _of_stage(side: Side, name: str) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in side.stages[name].ingredients.items() if key not in _ELSEWHERE]


def compare_code(before: Side, after: Side) -> Keys:
    """Compare the versions of the program, of the recipe's folder, and of each stage's code."""
    old, new = before.recorded("code"), after.recorded("code")
    rewritten = tuple(change for name in PARENTS if (change := _rewritten(name, before, after)) is not None)
    if old is None or new is None:
        lacking = [side for side, code in ((before, old), (after, new)) if code is None]
        return Keys(changes=rewritten, missing=(not_recorded("the version is", *lacking),))
    changes = compare_keys(old, new)
    told = {change.key for change in changes}
    more = tuple(change for change in rewritten if change.key not in told)
    return Keys(changes=(*changes, *more), remarks=_uncommitted(old, new))


def _rewritten(name: str, before: Side, after: Side) -> KeyChange | None:
    """Tell that the code of a stage changed: by its version, or because nothing else did and its fingerprint is new."""
    old, new = before.stages.get(name), after.stages.get(name)
    if old is None or new is None or old.fingerprint == new.fingerprint:
        return None
    versions = old.ingredients.get(VERSION), new.ingredients.get(VERSION)
    if None not in versions:
        same = versions[0] == versions[1]
    else:
        parents = all(before.fingerprint(parent) == after.fingerprint(parent) for parent in PARENTS[name])
        same = not parents or old.ingredients != new.ingredients
    shown = {"before": versions[0] or "one version", "after": versions[1] or "another"}
    return None if same else KeyChange(key=f"stages.{name}", change="changed", **shown)


def _uncommitted(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Two states of one commit, both changed, may be the same or not: nothing recorded tells."""
    same = old.get("commit") is not None and old.get("commit") == new.get("commit")
    if same and old.get("dirty") and new.get("dirty"):
        return ("the recipe's folder had changes that were not committed, in both",)
    return ()


def compare_environments(before: Side, after: Side) -> Keys:
    """Compare Python, the platform and the libraries."""
    old, new = before.recorded("environment"), after.recorded("environment")
    if old is None or new is None:
        lacking = [side for side, found in ((before, old), (after, new)) if found is None]
        return Keys(missing=(not_recorded("the environment is", *lacking),))
    return Keys(changes=compare_keys(old, new))
