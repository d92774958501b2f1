"""What can change a stage's result, under the keys that the recipe uses: what its fingerprint is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.domain import DOMAINS
from mlops_compiler.ir.fingerprint import canonical, fingerprint, flatten
from mlops_compiler.ir.ops import intake, preparation
from mlops_compiler.ir.ops import search as finding
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.plan.diff import ALTERNATIVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.ir.program import Node
    from mlops_compiler.ir.space import Dimension


def digest_key(node: str) -> str:
    """Name the ingredient that holds the hash of what a node reads: ``source``, ``source.NAME``, ..."""
    which, _, name = node.partition(".")
    if not name:
        return "data.source.digest"
    section = {"stacked": "stack", "referenced": "references"}.get(which, "join")
    return f"data.{section}.{name}.source.digest"


_OWN = {"feedback": 1, "search": 2, "train": 1, "evaluate": 1, "explain": 1, "nested": 1, "release": 1, "report": 1}
"""How many of a stage's nodes are its own, the last ones; the others are in its parents' fingerprints."""


_NO_ROWS = ("choice", "must_beat", "metric", "rows", "collected")
"""What says nothing of which rows there are, beside the content of their table."""


def ingredients_of(stage: str, nodes: tuple[Node, ...], digests: Mapping[str, str]) -> dict[str, Any]:
    """Collect what can change a stage's result, under the keys that the recipe uses where it has them."""
    found: dict[str, Any] = (
        {digest_key(name): digest for name, digest in digests.items()} if stage == "snapshot" else {}
    )
    for node in nodes[-_OWN[stage] :] if stage in _OWN else nodes:
        found |= _of_node(node)
    if stage == "prepare":  # the order of steps changes results; how they are grouped into scans does not
        found["prepare.order"] = [key.removeprefix("prepare.") for key in found if key.startswith("prepare.")]
    return {key: value for key, value in flatten(found).items() if value is not None}


def _of_node(node: Node) -> dict[str, Any]:  # noqa: PLR0911 - a table
    match node.op:
        case intake.Read() as read:
            place = digest_key(node.name).removesuffix(".digest")
            return {place: _fields(read, without=("path", "origin"))}
        case intake.Stack() | intake.Join() | intake.History() | intake.References() as op:
            return {f"data.{node.name}": _fields(op, without=("times",))}
        case intake.Population(where=where, target=target):
            return {"data.where": where, "objective.target_is": target[1] if target else None}
        case intake.Check() | CheckFeatures() as op:
            return _of_contract(op)
        case preparation.Prepare(step=step):
            return {node.name: {"op": step.op, **_fields(step)}}
        case preparation.FusedPrepare(steps=steps) | preparation.Project(filters=steps):
            # Reading fewer columns gives the same.
            return {f"prepare.{item.name}": {"op": item.step.op, **_fields(item.step)} for item in steps}
        case preparation.Vary(dimensions=dimensions, variants=variants):
            seal = fingerprint(
                [[item.picks, [(named.name, named.step) for named in item.steps], item.checked] for item in variants]
            )
            return {**_open(dimensions), ALTERNATIVES: seal}
        case finding.Search(candidates=candidates) as search:
            models = {item.name: _candidate(item) for item in candidates}
            return {"search": _of_search(search), "models": models}
        case FeedBack() as back:
            return {"feedback": _fields(back, without=_NO_ROWS)}
        case op:
            return {node.name: _fields(op)}


def _of_search(search: finding.Search) -> dict[str, Any]:
    """What changes which trials there are; where a warm start finds nothing, it is none."""
    engine, start = ("cpus", "gpus", "wait"), ("warm", "warm_from", "warm_span", "warm_start")
    said = _fields(search, without=("candidates", *engine, *start))
    if not search.warm:
        return said
    return {**said, "warm_start": search.warm_start, "warm": [start.to_json() for start in search.warm]}


def _of_contract(op: intake.Check | CheckFeatures) -> dict[str, Any]:
    """What the columns before preparation must keep, or the features after it."""
    if isinstance(op, CheckFeatures):
        return {
            "features.at_most": op.at_most,
            "features.severity": op.severity if op.at_most is not None else None,
            "features.columns": {item.key: _fields(item, without=("key",)) for item in op.checks},
            "features.losses": dict(op.losses),
        }
    return {
        "data.rows.at_least": op.rows[0],
        "data.rows.at_most": op.rows[1],
        "data.fresh": op.fresh[1] if op.fresh else None,
        "data.columns": {item.name: _fields(item, without=("name", "inferred")) for item in op.columns},
        "data.max_loss": op.max_loss,
    }


def _candidate(item: finding.Candidate) -> dict[str, Any]:
    """What changes a candidate's results; where it runs does not, but for its threads."""
    return {
        "kind": item.kind,
        "version": item.version,
        "cpu": item.cpu,
        "parameters": {name: _parameter(value) for name, value in item.parameters},
        **item.wishes,
    }


def _open(dimensions: Iterable[Dimension]) -> dict[str, Any]:
    """What is open of the preparation, by the keys of its domains; those inside alternatives are part of these."""
    outer = [item for item in dimensions if not item.given]
    return {item.name: _parameter(item.domain) for item in outer}


def _parameter(value: Scalar | Domain) -> Any:
    """A value, or a domain as one: ``["log_uniform", 0.001, 10]``, so that a change of it is told whole."""
    if (name := next((name for name, kind in DOMAINS.items() if type(value) is kind), None)) is None:
        return canonical(value)
    ((_, bounds),) = canonical(value).items()
    return [name, *bounds.values()]


def _fields(value: object, without: tuple[str, ...] = ()) -> dict[str, Any]:
    ((_, named),) = canonical(value).items()
    return {name: item for name, item in named.items() if name not in without}
