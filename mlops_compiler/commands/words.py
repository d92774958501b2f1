"""Reads a command line: what is a command's own, and what is Hydra's."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import Invocation
from mlops_compiler.commands.table import COMMANDS, FORMATS
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError, did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.commands.table import Command

_SWITCHES = frozenset({"--json", "--multirun", "-m"})
"""Flags without a value: what follows one may be the command."""
_RECIPE_DIR, _FORMAT = "--recipe-dir", "--format"


def read(words: list[str]) -> Invocation:
    """Read a command line.

    Raises:
        UsageError: It names no command that there is, a flag without its value, or a bare word too many.
    """
    name, rest = _command(words)
    if name not in COMMANDS:
        raise _usage("unknown-command", f"there is no command `{name}`", name, did_you_mean(name, COMMANDS))
    return _Reader(name, COMMANDS[name]).read(rest)


def helped(words: list[str]) -> str | None:
    """Name the command that help is asked for; None where it is asked for none, or for all."""
    name, rest = _command(words)
    return name if rest != words and name in COMMANDS and not {"--help", "-h"}.isdisjoint(rest) else None


def style_of(words: list[str]) -> str:
    """Say how to tell what is wrong with a command line that may not be readable."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        chosen = after if word == _FORMAT else word.removeprefix(f"{_FORMAT}=")
        if word == "--json":
            return "json"
        if word.startswith(_FORMAT) and chosen in FORMATS:
            return chosen
    return "full"


def no_recipe_wanted(invocation: Invocation) -> UsageError:
    """The error of overrides given to a command that has no recipe."""
    word = invocation.overrides[0]
    return _usage("bad-argument", f"`{invocation.command}` takes no `{word}`", word, None)


def _command(words: list[str]) -> tuple[str, list[str]]:
    """Find the command, which stands first, or after flags that take no value; give it and the other words."""
    ahead = len(list(takewhile(_SWITCHES.__contains__, words)))
    if ahead < len(words) and _is_bare(words[ahead]):
        return words[ahead], [*words[:ahead], *words[ahead + 1 :]]
    return "run", words


def _is_bare(word: str) -> bool:
    return not word.startswith(("-", "+", "~")) and "=" not in word


class _Reader:
    """Takes a command's own words out of a command line."""

    def __init__(self, name: str, command: Command) -> None:
        self._name, self._command = name, command
        self._overrides: list[str] = []
        self._arguments: dict[str, str] = {}
        self._bare: list[str] = []
        self._flags: set[str] = set()
        self._options: dict[str, str] = {}
        self._folders: list[Path] = []

    def read(self, words: list[str]) -> Invocation:
        pending = iter(words)
        for word in pending:
            self._take(word, pending)
        style = self._options.pop(_FORMAT, "full")
        return Invocation(
            command=self._name,
            overrides=tuple(self._overrides),
            arguments=self._arguments,
            words=tuple(self._bare),
            flags=frozenset(self._flags - {"--json"}),
            options=self._options,
            recipe_dirs=tuple(self._folders),
            style="json" if "--json" in self._flags else style,
        )

    def _take(self, word: str, pending: Iterator[str]) -> None:
        name, equals, value = word.partition("=")
        if name == _RECIPE_DIR:
            self._folders.append(_folder(value or next(pending, "")))
        elif name == _FORMAT:
            self._options[_FORMAT] = self._format(value if equals else next(pending, ""))
        elif name in self._command.options:
            self._options[name] = self._value(name, value if equals else next(pending, ""))
        elif word == "--json" or word in self._command.flags:
            self._flags.add(word)
        elif equals and name in self._command.arguments:
            self._arguments[name] = value
        elif _is_bare(word) and len(self._bare) < self._command.words:
            self._bare.append(word)
        else:
            self._overrides.append(word)

    def _format(self, value: str) -> str:
        known = self._command.formats
        if value in known:
            return value
        headline = f"`{self._name}` has no format `{value}`" if value else "--format needs a value"
        raise _usage("bad-argument", headline, value or _FORMAT, f"the formats are {listing(known)}")

    def _value(self, name: str, value: str) -> str:
        if not value:
            raise _usage("missing-argument", f"{name} needs a value", name, f"write {name} FILE")
        return value


def _folder(text: str) -> Path:
    path = Path(text)
    if not text or not path.is_dir():
        raise _usage("bad-argument", f"--recipe-dir needs a folder that exists, not {text!r}", _RECIPE_DIR, None)
    return path


def _usage(code: str, headline: str, word: str, help_: str | None) -> UsageError:
    return UsageError([Diagnostic(code=code, headline=headline, span=Span.of_token(word), help=help_)])
