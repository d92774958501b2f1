"""What is computed twice is computed once: an expression that an earlier step computed is read from its column.

Before::

    derive p = a / b -> derive q = a / b -> impute c with 0 -> impute c with 0

After::

    derive p = a / b -> derive q = p -> impute c with 0

It fires only where nothing in between changed what the expression reads, or the column that holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.preparation import Prepare
from mlops_compiler.ir.ops.prepare import Cast, Derive, Filter, Impute, is_fitted
from mlops_compiler.passes.rebuild import rebuild
from mlops_compiler.tables.expressions import parse_expression
from mlops_compiler.tables.steps import writes

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Node, Program


@dataclass(slots=True)
class _Known:
    """What the columns hold, as far as it was computed by steps that are still true.

    Attributes:
        computed: An expression, serialised, to the column that holds its value and the columns that it reads.
        done: Steps that would change nothing if they ran again, with the columns that they set.
    """

    computed: dict[bytes, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    done: list[StepOp] = field(default_factory=list)

    def forget(self, changed: set[str]) -> None:
        """Drop what no longer holds once some columns changed."""
        self.computed = {
            key: (column, read)
            for key, (column, read) in self.computed.items()
            if column not in changed and not changed.intersection(read)
        }
        self.done = [step for step in self.done if not changed.intersection(writes(step))]


def share_steps(program: Program) -> Program:
    """Read again what an earlier step computed, and leave out steps that would change nothing."""
    steps = program.of(Prepare)
    known, kept = _Known(), []
    for node, op in steps:
        if (shared := _shared(op.step, known)) is not None:
            kept.append((node, shared))
    if [step for _, step in kept] == [op.step for _, op in steps]:
        return program
    return rebuild(program, _first_inputs(steps), kept)


def _first_inputs(steps: tuple[tuple[Node, Prepare], ...]) -> tuple[str, ...]:
    return steps[0][0].inputs


def _shared(step: StepOp, known: _Known) -> StepOp | None:
    """Give the step that is left of one; None where it would change nothing."""
    if _settles(step) and step in known.done:
        return None
    if isinstance(step, Derive):
        return _derive(step, known)
    known.forget(set(writes(step)))
    if isinstance(step, Filter):
        return step
    if _settles(step):
        known.done.append(step)
    return step


def _settles(step: StepOp) -> bool:
    """Whether a step that ran changes nothing if it runs again."""
    return isinstance(step, Impute | Cast) and not is_fitted(step)


def _derive(step: Derive, known: _Known) -> Derive | None:
    """Replace expressions by columns that hold them; all of a step read its input, so none reads another."""
    held = {name: known.computed.get(_key(text), ("", ()))[0] for name, text in step.expressions}
    made = tuple((name, _column(held[name]) or text) for name, text in step.expressions if held[name] != name)
    own = {name for name, _ in made}
    known.forget(own)
    for name, text in step.expressions:
        expression, read = parse_expression(text)
        if not own.intersection(read) and not (expression.meta.is_column() or expression.meta.is_literal()):
            known.computed.setdefault(_key(text), (name, read))
    return replace(step, expressions=made) if made else None


def _key(text: str) -> bytes:
    return parse_expression(text)[0].meta.serialize()


def _column(name: str) -> str:
    """Write a column as SQL reads it; nothing for none."""
    return '"' + name.replace('"', '""') + '"' if name else ""
