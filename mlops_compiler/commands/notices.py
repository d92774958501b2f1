"""What a command tells to those who asked for it under `notify:`: its failure, its success, its release."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.diagnostics import DataError, EngineError, MlopsError, RecipeError
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.notify.addresses import Subscriber
from mlops_compiler.notify.news import News
from mlops_compiler.notify.telling import tell_of
from mlops_compiler.recipe.governance import Secret
from mlops_compiler.report import numbers
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.diagnostics import Diagnostic
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe

_NEXT = {
    "run": "mlops-compile {recipe}",
    "intake": "mlops-compile intake {recipe}",
    "monitor": "mlops-compile monitor {recipe}",
    "rollout": "mlops-compile status {recipe}",
    "schedule": "mlops-compile status {recipe}",
}

_OF_SERVICES = ("monitor", "rollout")
"""What is about the service of one environment."""


@dataclass(slots=True, kw_only=True)
class Notices:
    """Tells of one command.

    Attributes:
        composed: The recipe that it is about.
        about: ``run``, ``intake``, ``monitor``, ``rollout`` or ``schedule``.
        style: How to tell, on the terminal, of a target that could not be told.
        unattended: Whether nobody sees what is wrong with the recipe or the command line.
        run: The run, once it has a name.
    """

    composed: Composed
    about: str
    style: str
    unattended: bool = False
    run: str = ""
    _recipe: Recipe | None = field(default=None, repr=False)

    @classmethod
    def of(cls, composed: Composed, invocation: Invocation, about: str, *, unattended: bool = False) -> Notices:
        """Prepare to tell of a command; nobody is asked for anything yet."""
        return cls(composed=composed, about=about, style=invocation.style, unattended=unattended)

    @contextmanager
    def of_failure(self) -> Iterator[None]:
        """Tell of whatever ends a block of the command, and pass it on.

        What is wrong with the recipe or the command line is seen by whoever types it, and told to nobody else, unless
        the command is `unattended`.
        """
        try:
            yield
        except MlopsError as error:
            if self.unattended or isinstance(error, DataError | EngineError):
                error.diagnostics += self.failed(error.diagnostics)
            raise
        except Exception as error:
            tell_beside(self._defect(error), self.style)
            raise

    def failed(self, findings: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        """Tell of a failure; returns a warning for each target that could not be told."""
        if not self._asked:
            return ()
        stage = f" in stage {found}" if (found := self._failed_stage()) else ""
        news = News(
            kinds=frozenset({"failure"}),
            headline=f"{self.about} failed{stage}",
            reason=findings[0].headline,
            code=findings[0].code,
            **self._facts(),
        )
        return self._tell(news)

    def _defect(self, error: Exception) -> tuple[Diagnostic, ...]:
        if not self._asked:
            return ()
        headline = f"mlops-compile itself failed: {type(error).__name__}"
        return self._tell(News(kinds=frozenset({"failure"}), headline=headline, **self._facts()))

    def rejected(self, missed: Sequence[str]) -> tuple[Diagnostic, ...]:
        """Tell of a release that was refused; `missed` says each criterion that was not met."""
        if not self._asked:
            return ()
        news = News(
            kinds=frozenset({"failure", "release"}),
            headline="release refused",
            reason="; ".join(missed),
            **self._facts(),
        )
        return self._tell(news)

    def succeeded(self, headline: str, *, kinds: set[str], next_: str | None = None) -> tuple[Diagnostic, ...]:
        """Tell of a success.

        Args:
            headline: What was done.
            kinds: What to call it beside ``recovery``, which it may be; none where nothing was done.
            next_: What to type next.
        """
        if not self._asked:
            return ()
        facts = self._facts() | ({"next": next_} if next_ else {})
        return self._tell(News(kinds=frozenset(kinds), headline=headline, **facts))

    def alerted(self, votes: Sequence[str], reasons: Sequence[str], next_: str) -> tuple[Diagnostic, ...]:
        """Tell of an alert of monitoring; the same votes are told once, until there are others or it is over.

        Args:
            votes: Which kinds or rules agree.
            reasons: What they found, in sentences.
            next_: What to type next.
        """
        if not self._asked:
            return ()
        kinds = {"alert"} | ({"drift"} if any("drift" in vote.partition(":")[0] for vote in votes) else set())
        told = self._facts() | {"next": next_}
        same = f"alert {' '.join(sorted(votes))}"
        headline = f"alert: {', '.join(votes)}"
        return self._tell(News(kinds=frozenset(kinds), headline=headline, reason="; ".join(reasons), same=same, **told))

    def rolled_back(self, release: int, back_to: int | None, reason: str) -> tuple[Diagnostic, ...]:
        """Tell that a release was taken back.

        Args:
            release: Which.
            back_to: The one that answers in its place; None where none does.
            reason: Why.
        """
        if not self._asked:
            return ()
        place = "none answers in its place" if back_to is None else f"release {back_to} answers"
        headline = f"release {release} is taken back: {place}"
        facts = self._facts() | {"about": "rollout"}
        return self._tell(News(kinds=frozenset({"rollback"}), headline=headline, reason=reason, **facts))

    @contextmanager
    def of_rollback(self, release: int, back_to: int | None) -> Iterator[None]:
        """Tell of a release that a block of the command takes back, and pass it on.

        Args:
            release: The one that is put in service.
            back_to: The one that answers where it is taken back; None where none does.
        """
        try:
            yield
        except EngineError as error:
            for item in error.diagnostics:
                if item.code == "release-taken-back":
                    error.diagnostics += self.rolled_back(release, back_to, item.headline)
                    break
            raise

    def missed(self, text: str) -> tuple[Diagnostic, ...]:
        """Tell of something that was due and was not done in time.

        Args:
            text: What, in a sentence.
        """
        if not self._asked:
            return ()
        facts = self._facts() | {"about": "schedule"}
        return self._tell(News(kinds=frozenset({"missed"}), headline=text, **facts))

    @property
    def _asked(self) -> bool:
        """Whether anybody asked for anything: a recipe without notices is not validated again for nobody."""
        return bool(self.composed.config.get("notify"))

    def _tell(self, news: News) -> tuple[Diagnostic, ...]:
        recipe = self._validated()
        if recipe is None:
            return ()
        subscribers = [_subscriber(recipe, index) for index in range(len(recipe.notify))]
        place = self.composed.provenance.key_span(("notify",))
        try:
            store = open_writer(store_location(recipe.store))
            return tell_of(news, subscribers, store, os.environ, place)
        except EngineError as error:  # a store that fails is told by the command itself, which needs it more
            return tuple(error.diagnostics) if news.kinds != {"failure"} else ()

    def _facts(self) -> dict[str, Any]:
        recipe, named = self._validated(), f"recipe={self.composed.recipe_name}"
        owner = recipe.owner if recipe is not None else None
        return {
            "about": self.about,
            "recipe": recipe.name if recipe is not None else self.composed.recipe_name,
            "owner": ", ".join(part for part in (owner.name, owner.contact) if part) if owner else "",
            "run": self.run,
            "next": _NEXT[self.about].format(recipe=named),
            "environment": recipe.environment if recipe is not None and self.about in _OF_SERVICES else "",
        }

    def _validated(self) -> Recipe | None:
        if self._recipe is None:
            try:
                self._recipe = validate(self.composed)
            except RecipeError:  # told by the command itself
                return None
        return self._recipe

    def _failed_stage(self) -> str | None:
        recipe = self._validated()
        if recipe is None or not self.run:
            return None
        events = open_writer(store_location(recipe.store)).events(self.run)
        return next((event.payload["stage"] for event in reversed(events) if event.kind == "stage_failed"), None)


def tell_outcome(notices: Notices, outcome: Mapping[str, Any], ran: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Tell how a run ended.

    Args:
        notices: Tells of the run.
        outcome: What the stage ``release`` recorded: the criteria, and the number of the release.
        ran: The stages that ran; where none did, nothing was done, and only a recovery is told.
    """
    if not outcome["accepted"]:
        return notices.rejected([_missed(item) for item in outcome["criteria"] if not item["met"]])
    kinds = {"success"} if ran else set()
    if "release" not in ran:
        return notices.succeeded(f"run succeeded; release {outcome['release']} stands", kinds=kinds)
    next_ = f"mlops-compile deploy recipe={notices.composed.recipe_name}"
    return notices.succeeded(f"release {outcome['release']} is made", kinds=kinds | {"release"}, next_=next_)


def _missed(criterion: Mapping[str, Any]) -> str:
    limits = (criterion["at_least"], criterion["at_most"])
    value = numbers.score_beside(criterion["value"], limits)
    return f"{criterion['metric']} is {value}, and {numbers.bounds(*limits)} was asked"


def _subscriber(recipe: Recipe, index: int) -> Subscriber:
    notice = recipe.notify[index]
    return Subscriber(
        kinds=frozenset(notice.when),
        to=tuple(("secret", item.secret) if isinstance(item, Secret) else ("url", item) for item in notice.targets),
        owner=recipe.owner.contact if notice.owner and recipe.owner is not None else None,
    )
