"""`owner:`, `environment:`, `allow:` and `notify:` say who answers for a model, and what is forgiven it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.section import Section

Environment = Literal["development", "test", "production"]


class Owner(Section):
    """Who answers for the model."""

    name: Annotated[str, Field(min_length=1)]
    """A person or a team."""
    contact: str | None = None
    """Where to reach them: a mail address or a URL."""


class Allowance(Section):
    """A rule that this recipe may break, and why."""

    rule: Annotated[str, Field(min_length=1)]
    """Its code, as the finding has it."""
    because: Annotated[str, Field(min_length=1)]
    """Shown with the recipe."""


class Secret(Section):
    """A value that no recipe, plan, log or store ever holds: read from the environment where it is used."""

    secret: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    """The name of an environment variable."""


class Notice(Section):
    """Whom to tell what."""

    when: Annotated[tuple[Literal["failure", "recovery", "success", "drift", "release"], ...], Field(min_length=1)]
    """What is told."""
    to: Secret | str
    """A URL, or the secret that holds one."""
