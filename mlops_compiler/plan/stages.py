"""A stage is the unit of reuse: nodes of the program, all that can change their result, and a fingerprint of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.ir.ops import intake, preparation
from mlops_compiler.ir.ops import search as finding
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.ir.origin import origin_nodes
from mlops_compiler.plan.diff import VERSION
from mlops_compiler.plan.ingredients import ingredients_of
from mlops_compiler.plan.rival import AGAINST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.program import Node, Program
    from mlops_compiler.plan.diff import Cause
    from mlops_compiler.store.records import StageRecord

VERSIONS: dict[str, int] = {
    "snapshot": 3,
    "split": 4,
    "feedback": 1,
    "prepare": 7,
    "search": 7,
    "select": 6,
    "train": 5,
    "evaluate": 4,
    "explain": 2,
    "nested": 1,
    "release": 3,
    "report": 10,
}
"""Raised when the code of a stage changes what it gives; recorded results of older versions are then not reused."""

PARENTS: dict[str, tuple[str, ...]] = {
    "snapshot": (),
    "split": ("snapshot",),
    "feedback": ("snapshot", "split"),
    "prepare": ("snapshot", "split", "feedback"),
    "search": ("snapshot", "split", "feedback", "prepare"),
    "select": ("search",),
    "train": ("snapshot", "split", "feedback", "prepare", "select"),
    "evaluate": ("snapshot", "split", "feedback", "search", "select", "train"),
    "explain": ("snapshot", "split", "feedback", "train"),
    "nested": ("snapshot", "split", "feedback", "prepare", "search", "select"),
    "release": ("snapshot", "split", "feedback", "train", "evaluate"),
    "report": (
        "snapshot",
        "split",
        "feedback",
        "prepare",
        "search",
        "select",
        "train",
        "evaluate",
        "explain",
        "nested",
        "release",
    ),
}
"""What each stage reads."""

_SOMETIMES = ("feedback", "nested")
"""Stages that are there where a recipe asks for them, and of feedback where any row came back."""
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


def make_stages(program: Program, digests: Mapping[str, str], rival: str | None = None) -> tuple[Stage, ...]:
    """Cut an optimised program into stages with their fingerprints.

    Args:
        program: The program after all passes.
        digests: The hash of the content of each source, by the name of its node.
        rival: The manifest of the release that must be beaten, where one must.
    """
    made: dict[str, Stage] = {}
    for name, known in PARENTS.items():
        if name in _SOMETIMES and not _is_there(name, program):
            continue
        nodes, parents = stage_nodes(program, name), tuple(parent for parent in known if parent in made)
        ingredients = {VERSION: VERSIONS[name], **ingredients_of(name, nodes, digests)}
        if name == "release" and rival is not None:
            ingredients[AGAINST] = rival
        seal = stage_seal(name, ingredients, {parent: made[parent].fingerprint for parent in parents})
        made[name] = Stage(name=name, nodes=nodes, ingredients=ingredients, parents=parents, fingerprint=seal)
    return tuple(made.values())


def _is_there(name: str, program: Program) -> bool:
    """Whether a program has a stage that some do not have."""
    if name == "nested":
        return bool(program.of(finding.Nested))
    return any(op.table is not None for _, op in program.of(FeedBack))


def preparation_seal(nodes: tuple[Node, ...], fingerprints: Mapping[str, str]) -> str:
    """Name a preparation as its stage is named: by its steps and by the rows.

    Args:
        nodes: Those of the preparation.
        fingerprints: Of the stages that come before, by name.
    """
    ingredients = {VERSION: VERSIONS["prepare"], **ingredients_of("prepare", nodes, {})}
    return stage_seal(
        "prepare",
        ingredients,
        {name: fingerprints[name] for name in PARENTS["prepare"] if name in fingerprints},
    )


def stage_seal(stage: str, ingredients: Mapping[str, Any], parents: Mapping[str, str]) -> str:
    """Name a stage's result: by all that can change it, and by the fingerprints of the stages that it reads."""
    return fingerprint({"stage": stage, "ingredients": dict(ingredients), "parents": dict(parents)})


def stage_nodes(program: Program, stage: str) -> tuple[Node, ...]:  # noqa: PLR0911 - one case a stage
    """Name the nodes that a stage runs, and those that it looks at."""
    match stage:
        case "snapshot":
            return tuple(node for node in program if isinstance(node.op, _INTAKE))
        case "prepare":
            frames = (preparation.Project, preparation.Prepare, preparation.FusedPrepare, preparation.Matrix)
            return tuple(node for node in program if isinstance(node.op, (*frames, CheckFeatures)))
        case "search" if program.of(preparation.Vary):  # trials prepare rows for themselves
            return tuple(program[name] for name in ("snapshot", "split", "vary", "search"))
        case "train":  # the manifest tells serving about the contract, the classes and the features
            varied = ("snapshot", "vary") if program.of(preparation.Vary) else ()
            told = tuple(program[name] for name in ("contract", "split", "matrix", *varied, "search", "train"))
            return (*origin_nodes(program), *told)
        case "nested":  # it runs the stages from preparation to evaluation
            return (*(node for node in program if node.name != stage), program[stage])
        case "evaluate" | "release" | "feedback":
            return (program["split"], program[stage])
        case "explain":
            return tuple(program[name] for name in ("split", "matrix", "explain"))
        case "report":
            return tuple(program[name] for name in ("contract", "split", "report"))
        case _:
            return (program[stage],)
