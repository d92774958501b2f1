"""Which recipe and which options of groups are meant is decided before Hydra is asked.

A name that is not found is refused with the nearest one, at the token or in the file that says it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import (
    Diagnostic,
    Note,
    RecipeError,
    Sink,
    UsageError,
    did_you_mean,
    listing,
)
from mlops_compiler.frontend import folders
from mlops_compiler.frontend.folders import RECIPE
from mlops_compiler.frontend.recipe_text import read_document
from mlops_compiler.frontend.yaml_spans import KeyPath, narrow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.frontend.recipe_text import Document
    from mlops_compiler.frontend.tokens import Token


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What can be chosen.

    Attributes:
        recipe_folders: Where recipes are looked for, in order, by whose folder it is.
        group_folders: Where groups are looked for.
    """

    recipe_folders: Mapping[str, Path]
    group_folders: Mapping[str, Path]

    @cached_property
    def groups(self) -> frozenset[str]:
        """All groups that have an option."""
        return frozenset(folders.groups(self.group_folders.values()))

    def is_group(self, key: str) -> bool:
        """Say whether an override of `key` chooses a recipe or an option."""
        return key == RECIPE or key in self.groups

    def locate(self, choice: str) -> str | None:
        """Find the file of a recipe."""
        found = folders.find_recipe(choice, self.recipe_folders.values())
        return None if found is None else str(found)

    def check(self, tokens: Sequence[Token], *, sweeping: bool) -> None:
        """Refuse what cannot be composed.

        Raises:
            UsageError: No recipe, an unknown one, an unknown option, or a sweep where one job is run.
            RecipeError: A chosen file, or one that it builds on, is wrong.
        """
        sink = Sink()
        if not any(token.key == RECIPE for token in tokens):
            sink.add(self._no_recipe())
        for token in tokens:
            for finding in self._refused(token, sweeping=sweeping):
                sink.add(finding)
        sink.raise_errors(UsageError)
        for choice in chosen_recipes(tokens):
            self._check_defaults(choice)

    def named_groups(self, recipes: Sequence[str]) -> frozenset[str]:
        """Say which groups the defaults of recipes name, directly or through what they build on."""
        named = [group for document in self._family(recipes) for _, group, _ in group_defaults(document)]
        return frozenset(named)

    def _refused(self, token: Token, *, sweeping: bool) -> Iterator[Diagnostic]:
        if token.is_hydras:
            return
        if token.override.is_sweep_override():
            if not sweeping:
                yield _sweep(token)
            return
        if token.key == RECIPE:
            yield from self._refused_recipe(token)
        elif token.key in self.groups and not token.override.is_delete():
            yield from self._refused_option(token)

    def _refused_recipe(self, token: Token) -> Iterator[Diagnostic]:
        choice = token.value
        if not isinstance(choice, str) or not choice or not token.is_plain:
            yield _usage("bad-override", "a recipe is chosen by one name", token, "write recipe=NAME")
        elif self.locate(choice) is None:
            yield self._unknown_recipe(token, choice)

    def _refused_option(self, token: Token) -> Iterator[Diagnostic]:
        chosen, known = token.value, folders.options(token.key, self.group_folders.values())
        if isinstance(chosen, dict):
            return
        names = chosen if isinstance(chosen, list) else [chosen]
        for name in names:
            if not isinstance(name, str) or name not in known:
                yield Diagnostic(
                    code="unknown-option",
                    headline=f"`{token.key}` has no option `{name}`",
                    span=narrow(token.value_span, str(name)),
                    notes=(Note(text=f"to set one key of it, write {token.key}.KEY=VALUE"),),
                    help=did_you_mean(str(name), known, otherwise="its options"),
                )

    def _no_recipe(self) -> Diagnostic:
        names = folders.recipe_names(self.recipe_folders.values())
        text = f"recipes here: {listing(names)}" if names else self._where()
        return Diagnostic(
            code="no-recipe",
            headline="no recipe is named",
            notes=(Note(text=text),),
            help=f"add recipe={names[0] if len(names) == 1 else 'NAME'}",
        )

    def _unknown_recipe(self, token: Token, choice: str) -> Diagnostic:
        names = folders.recipe_names(self.recipe_folders.values())
        is_file = choice.endswith(folders.SUFFIXES)
        headline = f"there is no file `{choice}`" if is_file else f"there is no recipe `{choice}`"
        beside = Path(f"{choice}.yaml").is_file()
        help_ = f"for the file here, write recipe={choice}.yaml" if beside else did_you_mean(choice, names)
        return Diagnostic(
            code="unknown-recipe",
            headline=headline,
            span=token.value_span,
            notes=(Note(text=self._where()),),
            help=help_,
        )

    def _where(self) -> str:
        return "looked in " + ", ".join(str(folder) for folder in self.recipe_folders.values())

    def _family(self, recipes: Sequence[str]) -> Iterator[Document]:
        """Iterate over recipes, and over what they build on."""
        waiting = [folders.find_recipe(choice, self.recipe_folders.values()) for choice in recipes]
        seen: set[Path] = set()
        while waiting:
            file = waiting.pop(0)
            if file is not None and file not in seen:
                seen.add(file)
                yield (document := read_document(file))
                waiting += [self._named(name) for _, name in recipe_defaults(document)]

    def _named(self, name: str) -> Path | None:
        return folders.find_named(name, self.recipe_folders.values())

    def _check_defaults(self, choice: str) -> None:
        sink = Sink()
        for document in self._family([choice]):
            for finding in self._wrong_defaults(document):
                sink.add(finding)
        sink.raise_errors(RecipeError)

    def _wrong_defaults(self, document: Document) -> Iterator[Diagnostic]:
        for path, name in recipe_defaults(document):
            if self._named(name) is None:
                known = folders.recipe_names(self.recipe_folders.values())
                yield _in_defaults(document, path, f"there is no recipe `{name}` to build on", name, known)
        for path, group, option in group_defaults(document):
            if group not in self.groups:
                known = [f"/{item}" for item in sorted(self.groups)]
                yield _in_defaults(document, path, f"there is no group `/{group}`", f"/{group}", known)
            elif (file := folders.find_option(group, option, self.group_folders.values())) is None:
                known = folders.options(group, self.group_folders.values())
                yield _in_defaults(document, path, f"`/{group}` has no option `{option}`", option, known)
            else:
                yield from self._wrong_defaults(read_document(file))


def chosen_recipes(tokens: Sequence[Token]) -> list[str]:
    """Say which recipe is chosen; a sweep chooses when its jobs are composed."""
    plain = [token for token in tokens if token.key == RECIPE and not token.override.is_sweep_override()]
    return [token.value for token in plain if isinstance(token.value, str)][-1:]


def recipe_defaults(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Iterate over the recipes that a file builds on: place and name."""
    for index, entry in enumerate(document.data.get("defaults") or []):
        if isinstance(entry, str) and entry != "_self_":
            yield ("defaults", index), entry


def group_defaults(document: Document) -> Iterator[tuple[KeyPath, str, str]]:
    """Iterate over the options of groups that a file takes: place, group and option."""
    for index, entry in enumerate(document.data.get("defaults") or []):
        if isinstance(entry, dict):
            key, chosen = next(iter(entry.items()))
            group = key.split()[-1].removeprefix("/")
            for option in _options(chosen):
                yield ("defaults", index), group, option


def _options(chosen: Any) -> list[str]:
    return chosen if isinstance(chosen, list) else [] if chosen is None else [chosen]


def _in_defaults(document: Document, path: KeyPath, headline: str, wrong: str, known: Sequence[str]) -> Diagnostic:
    span = narrow(document.places[path].value, wrong)
    help_ = did_you_mean(wrong, known, otherwise="there are")
    return Diagnostic(code="bad-defaults", headline=headline, span=span, help=help_)


def _sweep(token: Token) -> Diagnostic:
    value = token.text.partition("=")[2]
    return _usage(
        "sweep-without-multirun",
        f"`{token.key}` is given several values, and one job is to run",
        token,
        f"add --multirun for a job each, or write a list: '{token.key}=[{value}]'",
    )


def _usage(code: str, headline: str, token: Token, help_: str) -> Diagnostic:
    return Diagnostic(code=code, headline=headline, span=token.value_span, help=help_)
