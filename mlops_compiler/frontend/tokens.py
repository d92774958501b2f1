"""One token of the command line that sets, adds or removes a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import Override, OverrideType

from mlops_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One override.

    Attributes:
        text: As it was written.
        override: What Hydra understands by it.
    """

    text: str
    override: Override

    @property
    def key(self) -> str:
        """The key or group that it is about, without prefix."""
        return str(self.override.key_or_group)

    @property
    def value(self) -> Any:
        """The value, without quotes; of a sweep, Hydra's object."""
        return self.override.value()

    @property
    def value_text(self) -> str:
        """What stands after the equals sign, without the spaces around it."""
        return self.text.partition("=")[2].strip()

    @property
    def is_hydras(self) -> bool:
        """Whether it is about Hydra's own settings."""
        return bool(self.override.is_hydra_override())

    @property
    def is_plain(self) -> bool:
        """Whether it has no prefix."""
        return bool(self.override.type == OverrideType.CHANGE)

    @property
    def span(self) -> Span:
        """The whole token."""
        return Span.of_token(self.text)

    @property
    def value_span(self) -> Span:
        """What stands after the equals sign; the whole token where there is none."""
        start = self.text.find("=") + 1
        if start == 0 or start == len(self.text):
            return self.span
        return Span.of_token(self.text, start + 1, len(self.text) - start)
