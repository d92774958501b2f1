"""`diff` compares two runs, or the runs that made two releases: what they were made of, and what came of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import DONE
from mlops_compiler.commands.history import no_run
from mlops_compiler.commands.predict import find_release
from mlops_compiler.console.diff_view import print_comparison
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError, listing
from mlops_compiler.plan.compare.comparison import compare_runs

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord

_LAST = re.compile(r"last(?:~(\d{1,6}))?")
_RELEASE = re.compile(r"(?:release:)?(\d{1,7})")
"""Longer numbers are the start of a run's name, which is a date."""


def diff(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """Compare two runs; the last one with what is named, or with the one before it.

    Raises:
        UsageError: There is no such run, or several that are named so.
        DataError: There is no such release.
    """
    first, second = [*invocation.words, "last"][:2] if invocation.words else ("last~1", "last")
    before = find_run(store, recipe, first)
    after = find_run(store, recipe or before.recipe, second)
    comparison = compare_runs(store, before, after)
    if invocation.as_json:
        invocation.print_json(comparison.to_json())
    else:
        print_comparison(comparison, results())
    return DONE


def find_run(store: StoreReader, recipe: str | None, word: str) -> RunRecord:
    """Find the run that a word names: its name or the start of it, ``last``, ``last~2``, ``release:3`` or ``3``.

    Args:
        store: What is recorded.
        recipe: Whose last run or release is meant; None for the recipe that ran last.
        word: As it was typed.

    Raises:
        UsageError: There is no such run, or several.
        DataError: There is no such release.
    """
    if (back := _LAST.fullmatch(word)) is not None:
        found = store.runs(_recipe(store, recipe), limit=int(back[1] or 0) + 1)[int(back[1] or 0) :]
    else:
        found = _named(store, recipe, word)
    if not found and _RELEASE.fullmatch(word):
        return _maker(store, recipe, word)
    if len(found) != 1:
        raise UsageError([_ambiguous(word, found) if found else no_run(store, word)])
    return found[0]


def _recipe(store: StoreReader, recipe: str | None) -> str | None:
    return recipe or next((run.recipe for run in store.runs(limit=1)), None)


def _named(store: StoreReader, recipe: str | None, word: str) -> list[RunRecord]:
    """Find runs by the start of their names; a number that is one of a release is none of a run."""
    name = _recipe(store, recipe)
    number = _RELEASE.fullmatch(word)
    if number is not None and name is not None and store.release(name, int(number[1])) is not None:
        return []
    if (exact := store.run(word)) is not None:
        return [exact]
    return store.runs_named(word)


def _maker(store: StoreReader, recipe: str | None, word: str) -> RunRecord:
    """Find the run that made a release."""
    name = _recipe(store, recipe)
    if name is None:
        raise UsageError([no_run(store, None)])
    release = find_release(store, name, int(word.removeprefix("release:")))
    if (run := store.run(release.run_id)) is None:
        raise UsageError([no_run(store, release.run_id)])
    return run


def _ambiguous(word: str, found: list[RunRecord]) -> Diagnostic:
    return Diagnostic(
        code="ambiguous-run",
        headline=f"{len(found)} runs have names that start with `{word}`",
        span=Span.of_token(word),
        help=f"write more of the name: {listing(run.run_id for run in found)}",
    )
