"""`owner:`, `environment:`, `allow:` and `notify:` say who answers for a model, and what is forgiven it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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

    when: Annotated[
        tuple[
            Literal["failure", "recovery", "success", "intake", "release", "drift", "alert", "rollback", "missed"], ...
        ],
        Field(min_length=1),
    ]
    """What is told: a run or an intake that failed, the first that succeeds after that, each that succeeds, an intake
    that took rows in, a release that was made or refused, an alert of monitoring to which drift gave its voice, any
    alert, a release that was taken back, something that was due and was not done in time."""
    to: Secret | str | tuple[Secret | str, ...] = ()
    """A URL, or the secret that holds one; or several. The URLs are those of apprise: ``slack://...``,
    ``mailtos://user:password@host``, ``json://host/path``."""
    owner: bool = False
    """Whether the owner's contact is told as well; a mail address through the mail server that `to` names."""

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        if not self.targets and not self.owner:
            raise ValueError("a notice needs somebody to tell: `to`, or `owner: true`")
        return self

    @property
    def targets(self) -> tuple[Secret | str, ...]:
        """All that `to` names."""
        return self.to if isinstance(self.to, tuple) else (self.to,)
