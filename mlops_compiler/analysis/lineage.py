"""Where each feature comes from: every column of a program, and what each step does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from mlops_compiler.ir.ops.preparation import Matrix, Prepare
from mlops_compiler.tables.steps import makes, opens, reads, removes, writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Program

Doing: TypeAlias = Literal["reads", "changes", "makes", "removes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What a step does to a column.

    Attributes:
        step: The position of the step, from 0.
        doing: What it does.
        parents: The columns that it computes the column from.
    """

    step: int
    doing: Doing
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A column on its way.

    Attributes:
        column: Its name.
        role: What it is for: ``feature``, ``target``, ``key``, ...; that of the source, or of what was made.
        touches: What steps do to it, in order.
        feature: What the models know it as; None where it reaches none.
        sources: The columns of the source that it comes from.
    """

    column: str
    role: str
    touches: tuple[Touch, ...]
    feature: str | None
    sources: tuple[str, ...]

    @property
    def is_made(self) -> bool:
        """Whether a step made it: the source does not have it."""
        return bool(self.touches) and self.touches[0].doing == "makes"

    @property
    def first(self) -> int:
        """The step that it starts at; -1 for a column of the source."""
        return self.touches[0].step if self.is_made else -1

    @property
    def removed(self) -> int | None:
        """The step that removes it; None where it stays to the end."""
        last = self.touches[-1] if self.touches else None
        return last.step if last is not None and last.doing == "removes" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """All columns of a program.

    Attributes:
        steps: Name and operation of each step, in order.
        trails: The columns: those of the source, then those that steps make.
    """

    steps: tuple[tuple[str, str], ...]
    trails: tuple[Trail, ...]


def lineage(program: Program) -> Lineage:
    """Follow every column of a program through its preparation; of one that is not optimised, all of them."""
    prepared = program.of(Prepare)
    source = program["snapshot"].schema
    last = (prepared[-1][0].schema if prepared else source) or ()
    touches: dict[str, list[Touch]] = {column.name: [] for column in source or ()}
    for at, (_, op) in enumerate(prepared):
        for column, touch in _touches(op.step, at, touches):
            touches.setdefault(column, []).append(touch)
    features = program.the(Matrix)[1].features
    roles = {column.name: column.role.value for column in source or ()}
    origins = {column.name: column.origins for column in last}
    return Lineage(
        steps=tuple((node.name.removeprefix("prepare."), op.step.op) for node, op in prepared),
        trails=tuple(
            Trail(
                column=column,
                role=roles.get(column, "feature"),
                touches=tuple(found),
                feature=next((name for name in (column, f"{column}=*") if name in features), None),
                sources=origins.get(column, (column,) if column in roles else ()),
            )
            for column, found in touches.items()
        ),
    )


def _touches(step: StepOp, at: int, known: dict[str, list[Touch]]) -> Iterator[tuple[str, Touch]]:
    made, opened = makes(step), {name.removesuffix("=*"): parents for name, parents in opens(step).items()}
    gone = [name for name in removes(step) if name not in opened]
    changed = [name for name in writes(step) if name not in made and name not in gone]
    for column in sorted(set(reads(step)) - {*made, *changed, *gone}):
        yield column, Touch(step=at, doing="reads")
    for name, parents in made.items():
        doing: Doing = "changes" if name in known else "makes"
        yield name, Touch(step=at, doing=doing, parents=parents)
    for column in changed:
        yield column, Touch(step=at, doing="changes", parents=opened.get(column, ()))
    for column in gone:
        yield column, Touch(step=at, doing="removes")
