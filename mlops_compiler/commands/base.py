"""What every command is given, and what the command line says beside the recipe's own overrides."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, Span, UsageError, mask

if TYPE_CHECKING:
    from pathlib import Path

DONE, REJECTED, USAGE, ENGINE, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes."""
CHANGES = 2
"""With ``--detailed-exitcode``: something would run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A command line, read.

    Attributes:
        command: The command's name.
        overrides: What is Hydra's: overrides and its flags.
        arguments: The command's own ``name=value`` words.
        words: The command's own bare words.
        flags: Those of the command's own flags that are given, ``--passes``.
        options: The command's own flags with a value, ``--out`` to ``FILE``.
        recipe_dirs: Further folders of recipes.
        style: How to tell findings, and ``json`` where data are to be printed instead of text.
    """

    command: str
    overrides: tuple[str, ...]
    arguments: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    options: dict[str, str] = field(default_factory=dict)
    recipe_dirs: tuple[Path, ...] = ()
    style: str = "full"

    @property
    def as_json(self) -> bool:
        """Whether to print data instead of text."""
        return self.style == "json"

    @property
    def names_recipe(self) -> bool:
        """Whether a recipe is named."""
        return any(token.startswith("recipe=") for token in self.overrides)

    @property
    def sweeps(self) -> bool:
        """Whether the command is run once for each job of a sweep."""
        return any(token in ("--multirun", "-m", "hydra.mode=MULTIRUN") for token in self.overrides)

    def print_json(self, value: Any) -> None:
        """Print a value as JSON on standard output: one document a command, of a sweep one line a job."""
        print_json(value, indent=None if self.sweeps else 2)

    def number(self, name: str) -> int | None:
        """Read an argument that must be a whole number; None where it is not given.

        Raises:
            UsageError: It is no whole number.
        """
        text = self.arguments.get(name)
        if text is None:
            return None
        if not text.isdecimal():
            raise UsageError([_no_number(name, text)])
        return int(text)

    def required(self, name: str, example: str) -> str:
        """Read an argument that must be there.

        Raises:
            UsageError: It is not.
        """
        if name not in self.arguments:
            raise UsageError(
                [
                    Diagnostic(
                        code="missing-argument",
                        headline=f"`{self.command}` needs `{name}=...`",
                        help=f"for instance: mlops-compile {self.command} {example}",
                    )
                ]
            )
        return self.arguments[name]


def _no_number(name: str, text: str) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"`{name}` takes a whole number, not {text!r}",
        span=Span.of_token(f"{name}={text}"),
    )


def write_file(path: Path, text: str) -> None:
    """Write a file that was asked for, whole or not at all.

    Raises:
        UsageError: It cannot be written.
    """
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_text(text)
        draft.replace(path)
    except OSError as error:
        finding = Diagnostic(
            code="output-unwritable",
            headline=f"{path} cannot be written: {error.strerror}",
            span=Span.of_token(str(path)),
        )
        raise UsageError([finding]) from error


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(mask(json.dumps(value, indent=indent, ensure_ascii=False, default=str)) + "\n")
