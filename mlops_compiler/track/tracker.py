"""A tracker notes a run down in a system of somebody else's. It decides nothing; no run waits for it or fails by it.

Its module is imported when a recipe is read, so it must be thin, with heavy imports inside methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.store.records import FoldRecord


class TrackerSettings(Section):
    """What every tracker may say, whatever its kind."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known of a run when it begins.

    Attributes:
        run_id: Its name.
        recipe: The recipe's name.
        started: Seconds since 1970.
        description: What the model is for.
        commit: The commit of the recipe's folder, where git knows one.
        overrides: What the command line changed, without passwords.
        fingerprints: Of each stage.
    """

    run_id: str
    recipe: str
    started: float
    description: str | None = None
    commit: str | None = None
    overrides: Sequence[str] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFacts:
    """A trial that has ended.

    Attributes:
        trial: Its number.
        fingerprint: Names its results, whatever run they are of.
        parameters: Of the model and of the preparation, where it was searched: numbers, texts and truth values.
        status: ``complete``, ``stopped`` or ``failed``.
        metric: What the search optimises.
        score: Its mean over the folds that ran; None where none did.
        folds: Their records, in order.
    """

    trial: int
    model: str
    kind: str
    fingerprint: str
    parameters: Mapping[str, bool | int | float | str]
    status: str
    metric: str
    score: float | None
    folds: Sequence[FoldRecord] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFacts:
    """How a run ended.

    Attributes:
        status: ``succeeded``, ``rejected``, ``failed`` or ``interrupted``.
        metrics: On the holdout.
        chosen: The model that was chosen: ``model``, ``kind``, ``parameters``, ``trial``; empty where none was.
        release: Its number, where there is one.
        data: The version of the data: the hash of the snapshot.
        pages: Name of a file → its text: the report and the model card.
    """

    status: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    release: int | None = None
    data: str | None = None
    pages: Mapping[str, str] = field(default_factory=dict)


class Log(ABC):
    """The notes on one run; all calls come from one thread, which is no one else's, in the order of what happened."""

    @abstractmethod
    def trial(self, trial: TrialFacts) -> None:
        """Take note of a trial that ended, in this run or in an earlier one: a trial is noted once."""

    @abstractmethod
    def end(self, outcome: EndFacts) -> None:
        """Take note of how the run ended."""


class Tracker(ABC):
    """A kind of tracker.

    Attributes:
        name: Its name in a recipe.
        settings: What a recipe may say of it; a class of `TrackerSettings` without ``kind``.
    """

    name: str
    settings: type[Section]

    @abstractmethod
    def begin(self, settings: Any, run: RunFacts, environ: Mapping[str, str]) -> Log:
        """Begin to take notes; called in the thread of the log, so that it may take its time.

        Args:
            settings: What the recipe says.
            run: The run.
            environ: Holds the secrets.

        Raises:
            Exception: Whatever goes wrong, here and in the log: the run goes on, and ends with a warning.
        """
