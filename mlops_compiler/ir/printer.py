"""The printed program is stable text: the golden files hold it, and people read it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from mlops_compiler.ir.domain import DOMAINS, Choice, is_domain
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.intake import Check
from mlops_compiler.ir.ops.lifecycle import Release
from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, NamedStep, Prepare, Project, Vary
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.schema import Known, Role, Schema, dtype_name
from mlops_compiler.ir.space import shown_point, shown_value, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.ir.program import Node, Program
    from mlops_compiler.ir.space import Dimension, Variant
    from mlops_compiler.ir.start import Start

_HIDDEN = frozenset({"span", "because", "description"})


def print_program(program: Program) -> str:
    """Print a program: a line for each node, its details indented, and the schema of each table edge."""
    lines = [f"program {program.name}"]
    for node in program:
        lines.append("")
        lines += _node(node)
    return "\n".join(lines) + "\n"


def _node(node: Node) -> Iterator[str]:
    reads = f" <- {', '.join(node.inputs)}" if node.inputs else ""
    yield f"{node.name}: {node.op.verb}{reads}"
    yield from (f"    {line}" for line in _details(node))
    if node.schema is not None:
        yield f"    => {len(node.schema)} columns"
        yield from (f"       {line}" for line in print_schema(node.schema))


def _details(node: Node) -> Iterator[str]:  # noqa: C901 - a table
    match node.op:
        case Check(columns=columns, max_loss=max_loss):
            yield from (_unusual(column) for column in columns)
            yield f"max_loss={max_loss}"
        case Prepare(step=step, scope=scope):
            yield print_step(step) + _once(scope)
        case FusedPrepare(steps=steps, scope=scope):
            yield from (f"{named.name}: {print_step(named.step)}{_once(scope)}" for named in steps)
        case Project(columns=columns, filters=filters):
            yield f"columns={print_value(columns)}"
            yield from (f"{named.name}: {print_step(named.step)}" for named in filters)
        case Matrix(features=features):
            yield ", ".join(features)
        case CheckFeatures(checks=checks, at_most=most, losses=losses):
            yield from (_unusual(item) for item in checks)
            yield from ([f"at_most={most}"] if most is not None else [])
            yield from (f"{name}: max_loss={share}" for name, share in losses)
        case Vary(dimensions=dimensions, variants=variants):
            yield from (print_dimension(item, dimensions) for item in dimensions)
            yield from _variants(dimensions, variants)
        case Search() as search:
            yield from _search(search)
        case Release(criteria=criteria):
            yield from (_flat(bound) for bound in criteria)
        case _:
            if text := _flat(node.op):
                yield text


def _start(start: Start) -> str:
    parameters = " ".join(f"{name}={print_value(value)}" for name, value in start.parameters)
    return f"{parameters} point={print_value(start.point)}" if start.point else parameters


def _search(search: Search) -> Iterator[str]:
    yield _flat(search, without={"candidates", "warm", "warm_from", "warm_span"})
    yield from (f"first {start.model}: {_start(start)}" for start in search.warm)
    for item in search.candidates:
        wishes = "".join(f" {name}={print_value(value)}" for name, value in item.wishes.items())
        varied = " preparation=searched" if item.preparation else ""
        yield f"{item.name}: {item.kind} cpu={item.cpu} gpu={item.gpu}{print_gpus(item)}{wishes}{varied}"
        yield from (f"    {name} = {print_value(value)}" for name, value in item.parameters)


def print_gpus(item: Candidate) -> str:
    """Print what a model asks of the GPU that it asks for."""
    memory = f" gpu_memory={item.gpu_memory:g}GiB" if item.gpu_memory else ""
    return memory + (f" accelerator={'|'.join(item.accelerators)}" if item.accelerators else "")


def print_dimension(item: Dimension, among: Sequence[Dimension]) -> str:
    """Print what is open of a preparation: ``prepare.tails.upper = uniform [0.9, 0.999]``, and where it is asked."""
    numbers = range(len(item.domain.values)) if isinstance(item.domain, Choice) else ()
    values = ", ".join(shown_value(item.shown(number)) for number in numbers)
    domain = f"choice [{values}]" if numbers else print_value(item.domain)
    inside = ", ".join(f"{among[at].name}={shown_value(among[at].shown(number))}" for at, number in item.given)
    return f"{item.name} = {domain}" + (f"  (where {inside})" if inside else "")


def _variants(dimensions: Sequence[Dimension], variants: Sequence[Variant]) -> Iterator[str]:
    """Print how each variant differs from the base."""
    base = {named.name: print_step(named.step) for named in variants[0].steps}
    usual = written(dimensions, variants[0].picks)
    for variant in variants[1:]:
        taken = written(dimensions, variant.picks).items()
        yield f"with {', '.join(shown_point({name: value for name, value in taken if usual.get(name) != value}))}"
        steps = {named.name: print_step(named.step) for named in variant.steps}
        yield from (f"    {name}: {text}" for name, text in steps.items() if base.get(name) != text)
        yield from (f"    {name}: none" for name in base if name not in steps)


def _once(scope: str) -> str:
    return "  (once for all folds)" if scope == "table" else ""


def print_step(step: StepOp) -> str:
    """Print one step with its resolved columns, and what its recipe sets other than the default."""
    return f"{step.op} {_unusual(step)}".rstrip()


def print_named_step(named: NamedStep) -> str:
    """Print one step of a fused node, with its name."""
    return f"{named.name}: {print_step(named.step)}"


def _unusual(value: object) -> str:
    """Print what differs from the default."""
    usual = {field.name for field in fields(value) if getattr(value, field.name) == field.default}  # type: ignore[arg-type]
    return _flat(value, without=usual)


def _flat(value: object, without: set[str] | frozenset[str] = frozenset()) -> str:
    shown = [field.name for field in fields(value) if field.name not in _HIDDEN | without]  # type: ignore[arg-type]
    pairs = ((name, getattr(value, name)) for name in shown)
    return " ".join(f"{name}={print_value(item)}" for name, item in pairs if item is not None)


def print_value(value: object) -> str:
    """Print a value, or a domain as recipes write it: ``log_uniform [0.001, 10]``."""
    if is_domain(value):
        name = next(name for name, kind in DOMAINS.items() if type(value) is kind)
        inner = [getattr(value, field.name) for field in fields(value)]  # type: ignore[arg-type]
        return f"{name} {print_value(value.values if isinstance(value, Choice) else tuple(inner))}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {print_value(item)}" for name, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(print_value, value)) + "]"
    if hasattr(value, "__dataclass_fields__"):
        return "{" + _flat(value) + "}"
    return repr(value) if isinstance(value, str) and not value.isidentifier() else str(value)


def print_schema(schema: Schema) -> Iterator[str]:
    """Print a schema, a line for each column: name, type, and what is not usual of it."""
    width = max((len(name) for name in schema.names), default=0)
    for column in schema:
        marks = []
        if column.role is not Role.FEATURE:
            marks.append(str(column.role))
        if column.known is Known.AFTER_OUTCOME:
            marks.append("known after the outcome")
        if column.origins != (column.name,):
            marks.append("from " + ", ".join(column.origins) if column.origins else "from nothing")
        yield f"{column.name:<{width}}  {dtype_name(column.dtype):<8}  {'; '.join(marks)}".rstrip()
