"""Analysis: a valid recipe becomes a typed program, or everything that is wrong with its meaning is said at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording, wording_steps
from mlops_compiler.analysis.candidates import search_of
from mlops_compiler.analysis.categories import numbered, with_categories
from mlops_compiler.analysis.explanation import explain_of
from mlops_compiler.analysis.features import Prepared, check_of
from mlops_compiler.analysis.feedback import check_feedback, feedback_of
from mlops_compiler.analysis.joins import source_span
from mlops_compiler.analysis.leaks import find_leaks
from mlops_compiler.analysis.population import population_of
from mlops_compiler.analysis.selection import check_composition, check_explanations, select_of
from mlops_compiler.analysis.site import Site
from mlops_compiler.analysis.source import intake_of, schema_of
from mlops_compiler.analysis.splitting import check_stretches, split_of
from mlops_compiler.analysis.steps import made_by, named_by_itself, removed_by, resolve, step_schema
from mlops_compiler.analysis.target import target_fits
from mlops_compiler.analysis.wishes import check_wishes
from mlops_compiler.diagnostics import RecipeError, Sink
from mlops_compiler.ir.ops import lifecycle as ops
from mlops_compiler.ir.ops import preparation
from mlops_compiler.ir.ops import search as finding
from mlops_compiler.ir.ops.intake import Snapshot
from mlops_compiler.ir.ops.prepare import ByRows, Selection
from mlops_compiler.ir.program import Node, Program
from mlops_compiler.ir.schema import Known, dtype_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_compiler.analysis.source import Intake
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.ops.features import CheckFeatures
    from mlops_compiler.ir.schema import Column, Schema
    from mlops_compiler.recipe.recipe import Recipe


def analyse(recipe: Recipe, places: Provenance, root: Path) -> Program:
    """Turn a recipe into its typed program.

    Args:
        recipe: Composed and valid.
        places: Where each of its values was set.
        root: The folder that the recipe's paths are relative to.

    Raises:
        RecipeError: Columns, types, leaks, budgets: everything that is wrong, at once.
        DataError: The source's metadata cannot be read.
    """
    sink = Sink()
    intake = intake_of(recipe, places, root, sink)
    target_fits(recipe, intake, places, sink)
    check_stretches(recipe, intake.check, places, sink)
    sink.raise_errors(RecipeError)  # without the right columns every step would be blamed
    schema = schema_of(recipe, intake)
    prepared = with_categories(recipe, prepare_nodes(recipe, places, schema, sink), schema, places, sink)
    features = matrix_schema(places, (prepared[-1].schema if prepared else None) or schema, sink)
    joined = {ours: join.name for join in intake.joins for ours in join.types}
    find_leaks(prepared, schema, features, joined, places, sink)
    checked = check_of(recipe, Prepared(features=features, steps=prepared), places, sink)
    search = search_of(recipe, places, sink)
    check_wishes(recipe, features, numbered(prepared), places, sink)
    check_explanations(recipe, places, sink)
    check_composition(recipe, places, sink)
    check_feedback(recipe, places, sink)
    explained = explain_of(recipe, places, schema, features, _value_of(recipe), sink)
    sink.raise_errors(RecipeError)
    return Program(
        name=recipe.name,
        nodes=(
            *_intake(recipe, places, intake, schema),
            *prepared,
            *_matrix(places, prepared, features, checked),
            *_modelling(recipe, places, search, explained),
        ),
    )


def _intake(recipe: Recipe, places: Provenance, intake: Intake, schema: Schema) -> tuple[Node, ...]:
    data = places.key_span(("data",))
    nodes = [Node(name="source", op=intake.read, span=source_span(recipe.data.source, ("data", "source"), places))]
    for stacked in intake.stacks:
        place = ("data", "stack", stacked.name)
        path = source_span(recipe.data.stack[stacked.name].source, (*place, "source"), places)
        source = Node(name=f"stacked.{stacked.name}", op=stacked.read, span=path)
        below = (_last(nodes), source.name)
        nodes += [source, Node(name=f"stack.{stacked.name}", op=stacked.op, inputs=below, span=places.key_span(place))]
    for join in intake.joins:
        place = ("data", "join", join.name)
        path = source_span(recipe.data.join[join.name].source, (*place, "source"), places)
        source = Node(name=f"source.{join.name}", op=join.read, span=path)
        inputs = (_last(nodes), source.name)
        op = Node(name=f"join.{join.name}", op=join.op, inputs=inputs, span=places.key_span(place))
        nodes += [source, op]
    for name, look in intake.histories.items():
        span = places.key_span(("data", "history", name))
        nodes.append(Node(name=f"history.{name}", op=look, inputs=(_last(nodes),), span=span))
    checked = schema.select(column.name for column in intake.check.columns)
    nodes.append(Node(name="contract", op=intake.check, inputs=(nodes[-1].name,), schema=checked, span=data))
    if (population := population_of(recipe)) is not None:
        nodes.append(Node(name="rows", op=population, inputs=("contract",), schema=schema, span=data))
    for referred in intake.references:
        place = ("data", "references", referred.name)
        path = source_span(recipe.data.references[referred.name].source, (*place, "source"), places)
        source = Node(name=f"referenced.{referred.name}", op=referred.read, span=path)
        inputs, span = (_last(nodes), source.name), places.key_span(place)
        op = Node(name=f"references.{referred.name}", op=referred.op, inputs=inputs, schema=schema, span=span)
        nodes += [source, op]
    snapshot = Node(name="snapshot", op=Snapshot(), inputs=(nodes[-1].name,), schema=schema, span=data)
    return (*nodes, snapshot, split_of(recipe, places), *feedback_of(recipe, places))


def _last(nodes: Sequence[Node]) -> str:
    """Name the table that there is so far; other sources are no part of it yet."""
    return next(
        node.name for node in reversed(nodes) if not node.name.startswith(("source.", "stacked.", "referenced."))
    )


def prepare_nodes(recipe: Recipe, places: Provenance, schema: Schema, sink: Sink) -> tuple[Node, ...]:
    """Make the nodes of a recipe's preparation for the columns that reach it; what does not fit is told."""
    nodes: list[Node] = []
    removed: dict[str, str] = {}
    unmade: frozenset[str] = frozenset()
    selected = ""
    site = Site(
        name="",
        schema=schema,
        before=recipe.data.source.path,
        removed={},
        ignored=recipe.data.ignore,
        unmade=unmade,
        task=recipe.task,
        seed=recipe.validate_.seed,
        places=places,
        sink=sink,
    )
    for name, step in recipe.prepare.items():
        site = replace(site, name=name, schema=schema, removed=removed, unmade=unmade)
        op = resolve(step, site)
        schema = step_schema(op, site) if op else schema
        unmade |= made_by(step) - set(schema.names)
        if op is None:
            continue
        for taken in sorted(named_by_itself(step, op) & set(site.schema.names)):
            sink.add(wording_steps.name_taken(name, taken, site.span("columns")))
        removed = removed | dict.fromkeys(removed_by(op), name)
        if selected and not isinstance(op, Selection | ByRows):
            spans = (places.key_span(("prepare", step_name)) for step_name in (name, selected))
            sink.add(wording_steps.after_selection(name, selected, *spans))
        selected = name if isinstance(op, Selection) else selected
        inputs = (nodes[-1].name,) if nodes else ("snapshot", "split")
        span = places.key_span(("prepare", name))
        nodes.append(
            Node(
                name=f"prepare.{name}",
                op=preparation.Prepare(step=op, because=step.because),
                inputs=inputs,
                schema=schema,
                span=span,
            )
        )
        site = replace(site, before=f"`{name}`")
    return tuple(nodes)


def matrix_schema(places: Provenance, schema: Schema, sink: Sink) -> Schema:
    """Give the features of what the last step gives; those that no model could take are told."""
    features = schema.select(column.name for column in schema.features)
    wrong: dict[str, list[Column]] = {}
    for column in features:
        # Texts are told by `with_categories`, leaks by `find_leaks`.
        if not (column.is_model_ready or column.is_categorical or column.known is Known.AFTER_OUTCOME):
            wrong.setdefault(dtype_name(column.dtype), []).append(column)
    for columns in wrong.values():
        sink.add(wording.not_numbers(columns, places.key_span(("data", "columns", columns[0].name))))
    if not len(features):
        sink.add(wording.no_features(places.key_span(("prepare",))))
    return features


def _value_of(recipe: Recipe) -> finding.ValueMatrix | None:
    worth = getattr(recipe.objective, "value", None)
    return finding.ValueMatrix(**worth.model_dump()) if worth else None


def _matrix(
    places: Provenance, prepared: tuple[Node, ...], features: Schema, checked: CheckFeatures | None
) -> tuple[Node, ...]:
    last = (prepared[-1].name,) if prepared else ("snapshot", "split")
    matrix = Node(name="matrix", op=preparation.Matrix(features=features.names), inputs=last, schema=features)
    if checked is None:
        return (matrix,)
    return (matrix, Node(name="features", op=checked, inputs=("matrix",), span=places.key_span(("features",))))


def _modelling(recipe: Recipe, places: Provenance, search: finding.Search, explained: ops.Explain) -> tuple[Node, ...]:
    objective = recipe.objective
    value = explained.value
    criteria = tuple(
        finding.Bound(
            metric=name,
            at_least=bound.at_least,
            at_most=bound.at_most,
            beats=bound.opponents,
            by=bound.by,
            span=places.key_span(("objective", "accept", name)),
        )
        for name, bound in objective.accept.items()
    )
    train = ops.Train(key=recipe.data.key, seed=recipe.validate_.seed)
    evaluate = ops.Evaluate(
        task=recipe.task,
        metric=objective.metric,
        metrics=search.metrics,
        value=value,
        seed=recipe.validate_.seed,
        naive=getattr(objective, "naive", None),
        contamination=search.contamination,
    )
    outer = recipe.validate_.nested
    nested = finding.Nested(k=outer.k, metric=objective.metric) if outer else None
    judged = (Node(name="nested", op=nested, inputs=("select", "split")),) if nested else ()
    fed = ("feedback",) if recipe.feedback is not None else ()
    return (
        Node(name="search", op=search, inputs=("matrix", "split", *fed), span=places.key_span(("models",))),
        Node(
            name="select",
            op=select_of(recipe, value, places),
            inputs=("search",),
            span=places.key_span(("select",)),
        ),
        Node(name="train", op=train, inputs=("select", "matrix", "split", *fed)),
        Node(name="evaluate", op=evaluate, inputs=("train", "split")),
        Node(name="explain", op=explained, inputs=("train", "split"), span=places.key_span(("explain",))),
        *judged,
        Node(
            name="release",
            op=ops.Release(criteria=criteria),
            inputs=("evaluate",),
            description=recipe.description,
        ),
        Node(name="report", op=ops.Report(), inputs=("release", "explain")),
    )
