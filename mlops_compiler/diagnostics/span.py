"""A span is one place in a text that a person wrote; it carries the line, so that a renderer needs no file."""

from __future__ import annotations

from dataclasses import dataclass

COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of one line of a recipe, of a configuration file or of the command line.

    Attributes:
        source: The file as the user would name it, or ``"command line"``.
        line: Line number, from 1; 0 for a command-line token.
        column: Column in characters, from 1.
        length: Characters covered; at least 1.
        text: The whole line (or token) that the span lies in, without its newline.
    """

    source: str
    line: int
    column: int
    length: int
    text: str

    @classmethod
    def of_token(cls, token: str, column: int = 1, length: int | None = None) -> Span:
        """Make the span of a command-line override, or of a part of it."""
        return cls(source=COMMAND_LINE, line=0, column=column, length=length or len(token), text=token)

    @property
    def place(self) -> str:
        """Say where this is: ``recipes/churn.yaml:38:47`` or ``command line: search.trials=x``."""
        if self.source == COMMAND_LINE:
            return f"{COMMAND_LINE}: {self.text}"
        return f"{self.source}:{self.line}:{self.column}"
