"""A diagnostic is data: what is wrong, where, and what to do. Rendering is somebody else's business."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_compiler.diagnostics.span import Span


class Severity(StrEnum):
    """How much a finding weighs: an error stops the phase that found it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One more fact about a diagnostic, with its own place where it has one."""

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A finding about a recipe, its data or its run.

    Attributes:
        code: Stable kebab-case code, e.g. ``unknown-column``; listed in ``docs/diagnostics.md``.
        headline: One sentence that stands alone.
        span: The narrowest place to blame, if one is.
        notes: Further facts.
        help: One thing that can be done, without the word "help".
        severity: Error or warning.
    """

    code: str
    headline: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str | None = None
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether it stops the phase that found it."""
        return self.severity is Severity.ERROR
