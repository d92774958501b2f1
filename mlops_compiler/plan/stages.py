"""A stage is the unit of reuse: nodes of the program, all that can change their result, and a fingerprint of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mlops_compiler.ir.domain import DOMAINS
from mlops_compiler.ir.fingerprint import canonical, fingerprint, flatten
from mlops_compiler.ir.ops import intake
from mlops_compiler.ir.ops import lifecycle as ops
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.origin import origin_nodes
from mlops_compiler.plan.diff import ALTERNATIVES, VERSION
from mlops_compiler.plan.rival import AGAINST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.ir.program import Node, Program
    from mlops_compiler.ir.space import Dimension
    from mlops_compiler.plan.diff import Cause
    from mlops_compiler.store.records import StageRecord

VERSIONS: dict[str, int] = {
    "snapshot": 3,
    "split": 4,
    "prepare": 7,
    "search": 5,
    "select": 6,
    "train": 5,
    "evaluate": 4,
    "explain": 2,
    "nested": 1,
    "release": 3,
    "report": 6,
}
"""Raised when the code of a stage changes what it gives; recorded results of older versions are then not reused."""

PARENTS: dict[str, tuple[str, ...]] = {
    "snapshot": (),
    "split": ("snapshot",),
    "prepare": ("snapshot", "split"),
    "search": ("snapshot", "split", "prepare"),
    "select": ("search",),
    "train": ("snapshot", "split", "prepare", "select"),
    "evaluate": ("snapshot", "split", "search", "select", "train"),
    "explain": ("snapshot", "split", "train"),
    "nested": ("snapshot", "split", "prepare", "search", "select"),
    "release": ("snapshot", "split", "train", "evaluate"),
    "report": ("snapshot", "split", "prepare", "search", "select", "train", "evaluate", "explain", "nested", "release"),
}
"""What each stage reads."""

BOOKKEEPING = frozenset({"release", "report"})
"""Stages that are too small to start an engine for; they run in the command's own process."""


_INTAKE = (
    intake.Read,
    intake.Stack,
    intake.Join,
    intake.History,
    intake.Check,
    intake.Population,
    intake.References,
    intake.Snapshot,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a plan.

    Attributes:
        name: One of `VERSIONS`.
        nodes: The nodes of the program that it runs.
        ingredients: All that can change its result, flat: dotted key to JSON value.
        parents: The stages that it reads.
        fingerprint: Names its result; 64 hexadecimal digits.
    """

    name: str
    nodes: tuple[Node, ...]
    ingredients: dict[str, Any]
    parents: tuple[str, ...]
    fingerprint: str

    @property
    def needs_engine(self) -> bool:
        """Whether it runs on Ray."""
        return self.name not in BOOKKEEPING


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """The store has what the stage would give."""

    stage: Stage
    record: StageRecord
    reason: str = "nothing that it depends on changed"
    action: str = "reuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """The stage ran before, and what it would give now is not recorded.

    Attributes:
        stage: The stage.
        reason: Why, in one line.
        last: Its most recent record for the same recipe.
        causes: What changed of its own ingredients.
        follows: The stages that it reads and that run.
    """

    stage: Stage
    reason: str
    last: StageRecord
    causes: tuple[Cause, ...] = ()
    follows: tuple[str, ...] = ()
    action: str = "rebuild"


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """The stage never ran for this recipe."""

    stage: Stage
    reason: str = "never run"
    action: str = "new"


Action: TypeAlias = Reuse | Rebuild | New


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would run, what is reused, and why."""

    recipe: str
    program: Program
    actions: tuple[Action, ...]
    source_is_here: bool = True
    """Whether the source was there to be hashed; else the plan supposes the content that was read last."""

    @property
    def to_run(self) -> tuple[Stage, ...]:
        """The stages that would run, in order."""
        return tuple(action.stage for action in self.actions if not isinstance(action, Reuse))

    @property
    def needs_engine(self) -> bool:
        """Whether anything that would run needs Ray."""
        return any(stage.needs_engine for stage in self.to_run)

    def stage(self, name: str) -> Stage:
        """Find a stage by its name."""
        return next(action.stage for action in self.actions if action.stage.name == name)


def digest_key(node: str) -> str:
    """Name the ingredient that holds the hash of what a node reads: ``source``, ``source.NAME``, ..."""
    which, _, name = node.partition(".")
    if not name:
        return "data.source.digest"
    section = {"stacked": "stack", "referenced": "references"}.get(which, "join")
    return f"data.{section}.{name}.source.digest"


def make_stages(program: Program, digests: Mapping[str, str], rival: str | None = None) -> tuple[Stage, ...]:
    """Cut an optimised program into stages with their fingerprints.

    Args:
        program: The program after all passes.
        digests: The hash of the content of each source, by the name of its node.
        rival: The manifest of the release that must be beaten, where one must.
    """
    made: dict[str, Stage] = {}
    for name, known in PARENTS.items():
        if name == "nested" and not program.of(ops.Nested):
            continue
        nodes, parents = stage_nodes(program, name), tuple(parent for parent in known if parent in made)
        ingredients = {VERSION: VERSIONS[name], **_ingredients(name, nodes, digests)}
        if name == "release" and rival is not None:
            ingredients[AGAINST] = rival
        seal = _seal(name, ingredients, {parent: made[parent].fingerprint for parent in parents})
        made[name] = Stage(name=name, nodes=nodes, ingredients=ingredients, parents=parents, fingerprint=seal)
    return tuple(made.values())


def preparation_seal(nodes: tuple[Node, ...], fingerprints: Mapping[str, str]) -> str:
    """Name a preparation as its stage is named: by its steps and by the rows.

    Args:
        nodes: Those of the preparation.
        fingerprints: Of the stages that come before, by name.
    """
    ingredients = {VERSION: VERSIONS["prepare"], **_ingredients("prepare", nodes, {})}
    return _seal("prepare", ingredients, {parent: fingerprints[parent] for parent in PARENTS["prepare"]})


def _seal(stage: str, ingredients: Mapping[str, Any], parents: Mapping[str, str]) -> str:
    return fingerprint({"stage": stage, "ingredients": dict(ingredients), "parents": dict(parents)})


def stage_nodes(program: Program, stage: str) -> tuple[Node, ...]:  # noqa: PLR0911 - one case a stage
    """Name the nodes that a stage runs, and those that it looks at."""
    match stage:
        case "snapshot":
            return tuple(node for node in program if isinstance(node.op, _INTAKE))
        case "prepare":
            kinds = (ops.Project, ops.Prepare, ops.FusedPrepare, CheckFeatures, ops.Matrix)
            return tuple(node for node in program if isinstance(node.op, kinds))
        case "search" if program.of(ops.Vary):  # trials prepare rows for themselves
            return tuple(program[name] for name in ("snapshot", "split", "vary", "search"))
        case "train":  # the manifest tells serving about the contract, the classes and the features
            varied = ("snapshot", "vary") if program.of(ops.Vary) else ()
            told = tuple(program[name] for name in ("contract", "split", "matrix", *varied, "search", "train"))
            return (*origin_nodes(program), *told)
        case "nested":  # it runs the stages from preparation to evaluation
            return (*(node for node in program if node.name != stage), program[stage])
        case "evaluate" | "release":
            return (program["split"], program[stage])
        case "explain":
            return tuple(program[name] for name in ("split", "matrix", "explain"))
        case "report":
            return tuple(program[name] for name in ("contract", "split", "report"))
        case _:
            return (program[stage],)


_OWN = {"search": 2, "train": 1, "evaluate": 1, "explain": 1, "nested": 1, "release": 1, "report": 1}
"""How many of a stage's nodes are its own, the last ones; the others are in its parents' fingerprints."""


def _ingredients(stage: str, nodes: tuple[Node, ...], digests: Mapping[str, str]) -> dict[str, Any]:
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
        case ops.Prepare(step=step):
            return {node.name: {"op": step.op, **_fields(step)}}
        case ops.FusedPrepare(steps=steps) | ops.Project(filters=steps):  # reading fewer columns gives the same
            return {f"prepare.{item.name}": {"op": item.step.op, **_fields(item.step)} for item in steps}
        case ops.Vary(dimensions=dimensions, variants=variants):
            seal = fingerprint(
                [[item.picks, [(named.name, named.step) for named in item.steps], item.checked] for item in variants]
            )
            return {**_open(dimensions), ALTERNATIVES: seal}
        case ops.Search(candidates=candidates) as search:
            models = {item.name: _candidate(item) for item in candidates}
            return {"search": _fields(search, without=("candidates", "cpus", "gpus")), "models": models}
        case op:
            return {node.name: _fields(op)}


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


def _candidate(item: ops.Candidate) -> dict[str, Any]:
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
