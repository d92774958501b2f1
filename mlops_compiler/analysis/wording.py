"""The wording of all that analysis can find wrong: one named constructor for each code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, Note, did_you_mean, listing
from mlops_compiler.ir.schema import dtype_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.schema import Column


def unknown_step_column(step: str, name: str, known: Iterable[str], before: str, span: Span | None) -> Diagnostic:
    """A step uses a column that does not reach it."""
    names = list(known)
    return Diagnostic(
        code="unknown-column",
        headline=f"step `{step}` uses column `{name}`, which {before} does not produce",
        span=span,
        notes=(Note(text=f"{len(names)} columns reach this step"),),
        help=did_you_mean(name, names, otherwise="those are"),
    )


def dropped_column(step: str, name: str, by: str, span: Span | None, dropped_at: Span | None) -> Diagnostic:
    """A step uses a column that an earlier one removed."""
    return Diagnostic(
        code="dropped-column",
        headline=f"step `{step}` uses column `{name}`, which step `{by}` removes before it",
        span=span,
        notes=(Note(text=f"`{by}` is here", span=dropped_at),) if dropped_at else (),
        help=f"move `{step}` before `{by}`: steps run in the order written",
    )


def leak(step: str, column: Column, why: str, span: Span | None, way: tuple[Note, ...] = ()) -> Diagnostic:
    """A step reads or writes what no feature may come from; the notes show its way to the models."""
    return Diagnostic(
        code="leak",
        headline=f"step `{step}` uses column `{column.name}`, {why}",
        span=span,
        notes=way,
        help="remove the column from the step: a feature made from it would not exist when a prediction is asked for",
    )


def chosen_by_outcome(step: str, column: Column, why: str, span: Span | None) -> Diagnostic:
    """A filter chooses rows by what no prediction can know."""
    return Diagnostic(
        code="leak",
        headline=f"step `{step}` chooses rows by column `{column.name}`, {why}",
        span=span,
        help="choose rows by what is known before a prediction; else models learn from rows that no request is like",
    )


def key_in_step(step: str, name: str, span: Span | None) -> Diagnostic:
    """A step uses the key."""
    return Diagnostic(
        code="key-as-feature",
        headline=f"step `{step}` uses column `{name}`, which is the key",
        span=span,
        help="a key names a row and says nothing about it; remove it from the step",
    )


def ignored_in_step(step: str, name: str, span: Span | None) -> Diagnostic:
    """A step uses a column that the recipe ignores."""
    return Diagnostic(
        code="ignored-column",
        headline=f"step `{step}` uses column `{name}`, which `data.ignore` leaves out",
        span=span,
        help="remove it from one of the two",
    )


def indicator_name(step: str, name: str, encoded: str, span: Span | None) -> Diagnostic:
    """A column has a name that an indicator could have."""
    return Diagnostic(
        code="indicator-name",
        headline=f"step `{step}` meets column `{name}`, which could be an indicator of `{encoded}` encoded",
        span=span,
        help="give one of the two another name: indicators are named `column=level`",
    )


def wrong_column_type(step: str, column: Column, wanted: str, span: Span | None) -> Diagnostic:
    """A step cannot take a column's type."""
    return Diagnostic(
        code="wrong-column-type",
        headline=f"step `{step}` needs {wanted}, and column `{column.name}` is {dtype_name(column.dtype)}",
        span=span,
        help="`cast` it first, or take the column out of the step",
    )


def empty_selection(step: str, selector: str, span: Span | None) -> Diagnostic:
    """A selector matches no column."""
    return Diagnostic(
        code="empty-selection",
        headline=f"step `{step}` selects {selector}, and no column that reaches it matches",
        span=span,
        help="remove the step, or select columns that reach it",
    )


def bad_expression(step: str, text: str, reason: str, span: Span | None) -> Diagnostic:
    """An expression does not parse or does not type."""
    return Diagnostic(
        code="bad-expression",
        headline=f"step `{step}` cannot compute `{text}`",
        span=span,
        notes=(Note(text=reason),),
        help="expressions are SQL over the columns of one row: `a / greatest(b, 1)`, or `a > 0` for a filter",
    )


def not_row_wise(step: str, text: str, span: Span | None) -> Diagnostic:
    """An expression looks at other rows."""
    return Diagnostic(
        code="not-row-wise",
        headline=f"step `{step}` computes `{text}` from more than one row",
        span=span,
        notes=(
            Note(
                text="taken over the whole table it would be fitted across the split: "
                "held-out rows would shape what the models learn from"
            ),
        ),
        help="use only columns of the row itself (no SUM, AVG, OVER, ...), as a request to the service is one row; "
        "steps that learn, as `impute` and `standardize`, do so from the training rows of each fold",
    )


def step_types(step: str, reason: str, span: Span | None) -> Diagnostic:
    """A step's expressions do not fit the types that reach it."""
    return Diagnostic(
        code="wrong-column-type",
        headline=f"step `{step}` does not fit the columns that reach it",
        span=span,
        notes=(Note(text=reason),),
    )


def not_numbers(columns: Sequence[Column], span: Span | None) -> Diagnostic:
    """Columns of one type reach the models that are no numbers."""
    kind, many = dtype_name(columns[0].dtype), len(columns) > 1
    them = "them" if many else "it"
    what = f"{len(columns)} columns reach" if many else f"column `{columns[0].name}` reaches"
    return Diagnostic(
        code="feature-not-numeric",
        headline=f"{what} the models as {kind}; they take numbers",
        span=span,
        notes=(Note(text=f"they are {listing(column.name for column in columns)}"),) if many else (),
        help=f"derive numbers from {them}, `drop` {them}, or list {them} under `data.ignore`",
    )


def no_features(span: Span | None) -> Diagnostic:
    """No column is left for the models."""
    return Diagnostic(code="no-features", headline="no column is left for the models to learn from", span=span)


def too_few_trials(trials: int, models: int, span: Span | None) -> Diagnostic:
    """The budget cannot try every model once."""
    return Diagnostic(
        code="too-few-trials",
        headline=f"`search.trials: {trials}` cannot try each of {models} models once",
        span=span,
        help=f"allow at least {models} trials, or name fewer models",
    )


def unsuited_algorithm(
    algorithm: str, model: str, choices: Sequence[str], numbers: Sequence[str], span: Span | None
) -> Diagnostic:
    """An algorithm searches numbers, several at once, and a model has choices, or one number alone."""
    has = f"chooses {listing(choices)}" if choices else f"searches one number, {listing(numbers)}"
    return Diagnostic(
        code="unsuited-algorithm",
        headline=f"`{algorithm}` searches two numbers or more, and model `{model}` {has}",
        span=span,
        help=f"give {listing(choices or numbers)} a value, or take another algorithm: `tpe` and `gp` search any space",
    )


def no_population(kinds: Iterable[str], span: Span | None) -> Diagnostic:
    """A population is asked for, and no model can be one."""
    return Diagnostic(
        code="unsuited-algorithm",
        headline="`population` trains models on in the middle of their search, and no model here can be trained on",
        span=span,
        help=f"add one with something to search, of the kinds {listing(kinds)}; or take `asha`",
    )


def one_generation(model: str, trials: int, size: int, span: Span | None) -> Diagnostic:
    """A population gets no more trials than members, so nobody ever takes over anything."""
    return Diagnostic(
        code="too-few-trials",
        headline=f"model `{model}` gets {trials} trials, and two generations of a population of {size} need {2 * size}",
        span=span,
        help="allow more trials, name fewer models, or make `search.population.size` smaller",
    )


def no_gpu_model(name: str, kind: str, users: Iterable[str], span: Span | None) -> Diagnostic:
    """A GPU is asked for by a model that cannot use one."""
    return Diagnostic(
        code="gpu-unused",
        headline=f"model `{name}` asks for a GPU, and `{kind}` cannot use one",
        span=span,
        help=f"remove `resources.gpu`; kinds that can: {listing(users)}",
    )


def gpu_not_asked(name: str, key: str, gpu: float | str, span: Span | None) -> Diagnostic:
    """Something is said of a GPU that a model does not ask for, or asks for by number."""
    if gpu:
        headline = f"model `{name}` says `gpu: {gpu:g}` and `{key}`, which both say how many trials share a GPU"
        return Diagnostic(code="gpu-not-asked", headline=headline, span=span, help="use `gpu: auto`, or remove it")
    return Diagnostic(
        code="gpu-not-asked",
        headline=f"model `{name}` says `{key}`, and asks for no GPU",
        span=span,
        help="add `gpu: auto`, which takes one where there is one" + (", or `gpu: 1`" if key == "accelerator" else ""),
    )


def wrong_task(name: str, kind: str, task: str, fitting: Iterable[str], span: Span | None) -> Diagnostic:
    """A model cannot do what the task asks for."""
    return Diagnostic(
        code="wrong-model",
        headline=f"model `{name}` is a `{kind}`, which cannot do {task.replace('_', ' ')}",
        span=span,
        help=f"kinds that can: {listing(fitting)}",
    )


def more_than_declared(
    model: str, resource: str, asked: float, has: int, spans: tuple[Span | None, Span | None]
) -> Diagnostic:
    """A trial asks for more than the engine is declared to have.

    Args:
        model: The model.
        resource: ``CPUs`` or ``GPUs``.
        asked: How many a trial takes.
        has: How many the engine has.
        spans: Where the model asks, and where the engine is declared.
    """
    asks, declared = spans
    return Diagnostic(
        code="infeasible-resources",
        headline=f"a trial of `{model}` asks for {asked:g} {resource}, and the engine is given {has}",
        span=asks,
        notes=(Note(text=f"`cluster.{resource.lower()}: {has}` says how many the engine has", span=declared),),
        help=f"ask for less under `resources`, raise `cluster.{resource.lower()}`, or join a larger cluster with "
        "`cluster.address`",
    )
