"""A phase reports all that it finds and fails once, at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics.diagnostic import Severity

if TYPE_CHECKING:
    from mlops_compiler.diagnostics.diagnostic import Diagnostic
    from mlops_compiler.diagnostics.errors import MlopsError


class Sink:
    """Collects the findings of one phase, in the order found, each once."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a finding, unless the very same one is there."""
        if diagnostic not in self._found:
            self._found.append(diagnostic)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The findings that do not stop the phase."""
        return tuple(item for item in self._found if item.severity is Severity.WARNING)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that stop the phase."""
        return tuple(item for item in self._found if item.severity is Severity.ERROR)

    def raise_errors(self, kind: type[MlopsError]) -> None:
        """End the phase: raise `kind` with everything found, in the order written, if any of it is an error."""
        if self.errors:
            raise kind(_in_order(self._found))


def _in_order(found: list[Diagnostic]) -> list[Diagnostic]:
    """Sort by line within each file, files in the order found; what has no place stays behind the one before it."""
    ranks: dict[str, int] = {}
    keys: list[tuple[int, int]] = []
    for item in found:
        if item.span is not None:
            keys.append((ranks.setdefault(item.span.source, len(ranks)), item.span.line))
        else:
            keys.append(keys[-1] if keys else (0, 0))
    return [found[index] for index in sorted(range(len(found)), key=keys.__getitem__)]
