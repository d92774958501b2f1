"""The schema of the source: the contract's where it speaks, else what the file says of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_data
from mlops_compiler.analysis.contract import FREE, column_check
from mlops_compiler.analysis.history import histories, late_history
from mlops_compiler.analysis.increments import marks_exist
from mlops_compiler.analysis.joins import Joiner, ResolvedJoin, source_span
from mlops_compiler.analysis.population import computed_target
from mlops_compiler.analysis.references import ResolvedReferences, Where, references_of
from mlops_compiler.analysis.stacks import ResolvedStack, stacks_of
from mlops_compiler.ir.ops.intake import Check, ColumnCheck, History, Read
from mlops_compiler.ir.schema import DTYPES, Column, Known, Role, Schema
from mlops_compiler.recipe.sources import CsvSource, DeltaSource, SqlSource, TakenSource
from mlops_compiler.tables.table import head, is_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from mlops_compiler.diagnostics import Diagnostic, Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.recipe.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What is known of the data before they are read.

    Attributes:
        read: How the rows are read.
        stacks: What is put below them, in order.
        joins: What is joined to them, in order.
        check: The contract of all columns.
        target: The type of a target that the recipe computes; None where the source has it.
        references: Tables in which values must stand.
    """

    read: Read
    stacks: tuple[ResolvedStack, ...]
    joins: tuple[ResolvedJoin, ...]
    histories: dict[str, History]
    check: Check
    target: str | None
    references: tuple[ResolvedReferences, ...] = ()


def read_of(source: Source | TakenSource) -> Read:
    """Make the op that reads a source."""
    match source:
        case CsvSource(path=path, separator=separator, null_values=null_values):
            return Read(kind="csv", path=path, separator=separator, null_values=null_values)
        case SqlSource(path=path, table=table, query=query):
            return Read(kind="sql" if source.is_file else "postgresql", path=path, table=table, query=query)
        case DeltaSource(path=path, version=version):
            return Read(kind="delta", path=path, version=version)
        case TakenSource(path=path, place=place):
            return Read(kind="parquet", path=place, origin=path)
        case _:
            return Read(kind=source.kind, path=source.path)


def intake_of(recipe: Recipe, places: Provenance, root: Path, sink: Sink) -> Intake:
    """Find the columns of a recipe's data, and what they must keep.

    The sources' metadata are read (a Parquet footer, the header of a CSV file), and of a CSV file the first rows where
    the contract leaves types open. A source that is not here has the columns that the contract declares.

    Raises:
        DataError: A source is missing or unreadable.
    """
    read = read_of(recipe.data.source)
    known = {name: column.type for name, column in recipe.data.columns.items() if column.type}
    span = source_span(recipe.data.source, ("data", "source"), places)
    absent = is_absent(recipe, root) and not is_here(read, root)
    found = _declared(recipe) if absent else head(read, root, span, known)
    marks_exist(recipe, found, places, sink)
    stacks, found = stacks_of(recipe, found, read_of, places, root, sink)
    joiner, joins = Joiner(recipe, places, root, sink), list[ResolvedJoin]()
    for name, join in recipe.data.join.items():
        if (resolved := joiner.resolve(name, read_of(join.source), found)) is not None:
            joins.append(resolved)
            found = {**found, **resolved.types}
    looks = histories(recipe, found, places, sink)
    found = {**found, **{name: "float" for op in looks.values() for name in op.made}}
    target = computed_target(recipe, found, places, sink)
    if len(joins) == len(recipe.data.join):  # else every column of the missing one would be blamed
        _names_exist(recipe, places, found, sink)
    kept = {name: kind for name, kind in found.items() if name not in recipe.data.ignore}
    for name in kept:
        if name.endswith("*"):
            sink.add(wording_data.starred_name(name, places.value_span(("data", "source", "path"))))
    guessed = _guessed(read, known, found if not absent else {}, stacks, joins)
    columns = tuple(
        replace(column_check(recipe, places, name, kind, sink), inferred=True if name in guessed else None)
        for name, kind in kept.items()
    )
    check = Check(
        columns=columns,
        max_loss=recipe.data.max_loss,
        key=recipe.data.key,
        rows=(recipe.data.rows.at_least, recipe.data.rows.at_most),
        fresh=(recipe.data.time, recipe.data.fresh) if recipe.data.fresh and recipe.data.time else None,
    )
    referred = references_of(recipe, {item.name: item.type for item in columns}, read_of, Where(places, root, sink))
    return Intake(
        read=read,
        stacks=stacks,
        joins=tuple(joins),
        histories=looks,
        check=check,
        target=target,
        references=referred,
    )


def _guessed(
    read: Read,
    known: Mapping[str, str],
    found: Iterable[str],
    stacks: Iterable[ResolvedStack],
    joins: Iterable[ResolvedJoin],
) -> set[str]:
    """Name the columns whose type only the first rows suggest."""
    tables = [(read, set(found) - {name for join in joins for name in join.types})]
    tables += [(stacked.read, set(tables[0][1])) for stacked in stacks]
    tables += [(join.read, set(join.types)) for join in joins]
    untyped = (
        names for table, names in tables if table.kind in ("csv", "ndjson") or (table.kind == "sql" and table.query)
    )
    return {name for names in untyped for name in names} - set(known)


def is_absent(recipe: Recipe, root: Path) -> bool:
    """Whether a source is not here, and the contract says enough to go on without it."""
    data, objective = recipe.data, recipe.objective
    roles = (None if objective.target_is else objective.target, *(column for _, column in data.roles))
    declared = all(column.type is not None for column in data.columns.values())
    complete = declared and all(role in data.columns for role in roles if role is not None)
    sources = [data.source, *(other.source for other in data.stack.values())]
    sources += [other.source for other in data.join.values()]
    sources += [other.source for other in data.references.values()]
    return complete and not all(is_here(read_of(source), root) for source in sources)


def absence(recipe: Recipe, places: Provenance) -> Diagnostic:
    """Say that a recipe was analysed without its source."""
    return wording_data.source_absent(
        recipe.data.source.path, len(recipe.data.columns), places.value_span(("data", "source", "path"))
    )


def _declared(recipe: Recipe) -> dict[str, str]:
    ignored = dict.fromkeys(recipe.data.ignore, "text")
    joined = {f"{join.prefix}{name}" for join in recipe.data.join.values() for name in join.columns or ()}
    contract = {name: column.type for name, column in recipe.data.columns.items() if column.type is not None}
    return ignored | {name: kind for name, kind in contract.items() if name not in joined}


def _names_exist(recipe: Recipe, places: Provenance, found: Mapping[str, str], sink: Sink) -> None:
    path = recipe.data.source.path
    named = [(name, places.key_span(("data", "columns", name))) for name in recipe.data.columns]
    named += [(name, places.value_span(("data", "ignore", index))) for index, name in enumerate(recipe.data.ignore)]
    for index, name in enumerate(recipe.data.snapshot.personal):
        named.append((name, places.value_span(("data", "snapshot", "personal", index))))
    for index, name in enumerate(recipe.deploy.log.exclude if recipe.deploy.log else ()):
        named.append((name, places.value_span(("deploy", "log", "exclude", index))))
    if recipe.objective.target_is is None and recipe.objective.target is not None:
        named.append((recipe.objective.target, places.value_span(("objective", "target"))))
    for role, column in recipe.data.roles:
        listed = role == "group" and not isinstance(recipe.data.group, str)
        place = ("data", role, recipe.data.groups.index(column)) if listed else ("data", role)
        named.append((column, places.value_span(place)))
    for name, span in named:
        if name not in found:
            sink.add(wording_data.unknown_source_column(name, found, path, span))
    data = recipe.data
    roles: dict[str | None, str] = {
        recipe.objective.target: "the target",
        **{column: f"the {role}" for role, column in data.roles},
    }
    for name in recipe.data.ignore:
        if is_named := roles.get(name):
            sink.add(
                wording_data.contract_conflict(
                    name, f"is {is_named} and is ignored", places.value_span(("data", "ignore"))
                )
            )


def schema_of(recipe: Recipe, intake: Intake) -> Schema:
    """Make the schema of the table that is kept, with roles and what is known when."""
    late = late_history(recipe)
    columns = [_column(recipe, column, late) for column in intake.check.columns]
    if intake.target is not None and recipe.objective.target is not None:
        made = ColumnCheck(name=recipe.objective.target, type=intake.target, nullable=False)
        columns.append(_column(recipe, made, late))
    return Schema(tuple(columns))


def _column(recipe: Recipe, check: ColumnCheck, late: AbstractSet[str]) -> Column:
    known = Known.AFTER_OUTCOME if check.name in late else Known(recipe.data.columns.get(check.name, FREE).known)
    role = Role.FEATURE if known is Known.BEFORE_PREDICTION else Role.IGNORED
    role = {column: Role(named) for named, column in recipe.data.roles}.get(check.name, role)
    if check.name == recipe.objective.target:
        role, known = Role.TARGET, Known.AFTER_OUTCOME
    return Column(name=check.name, dtype=DTYPES[check.type], role=role, known=known, origins=(check.name,))
