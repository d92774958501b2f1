"""What the store remembers, as plain frozen values; every dictionary in them is JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
ServiceName = NewType("ServiceName", str)
"""What the service of a recipe in an environment is called: its application, and its log."""
TRAINING = "training."
"""What names of metrics begin with that were computed on rows which the model learned from."""
COST = "cost."
"""And those of what it took."""
ENVIRONMENTS = ("development", "test", "production")
"""From the least strict to the strictest."""
NOTES = "notes"
"""What a history has beside the steps, where there is any: what the fit had to do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """A stage that came to its end.

    Attributes:
        fingerprint: Names its result, 64 hexadecimal digits.
        recipe: The recipe's name.
        name: The stage's name.
        ingredients: All that could have changed its result, dotted key to value.
        outputs: Its objects, name to digest.
        summary: What to show of it.
        run_id: The run that made it.
        started: Seconds since 1970.
        seconds: How long it took.
    """

    fingerprint: str
    recipe: str
    name: str
    ingredients: Json
    outputs: dict[str, str]
    summary: Json
    run_id: str
    started: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldRecord:
    """One fold of one trial.

    Attributes:
        fingerprint: Names the result.
        trial: The trial's fingerprint.
        fold: Its number, from 0.
        metrics: Every metric of the task on the rows held out, and under ``training.NAME`` those on rows that the model
            learned from; what the fold took under ``cost.cpu_seconds`` and ``cost.gpu_seconds``.
        predictions: Digest of the table of labels and probabilities.
        seconds: To fit and score.
        history: How the fit went, step by step, as `models.history` writes it; None of a kind that has no steps. Beside
            them `notes`, where the fit had to do with less memory.
    """

    fingerprint: str
    trial: str
    fold: int
    metrics: dict[str, float]
    predictions: str
    seconds: float
    history: Json | None = None

    @property
    def validation(self) -> dict[str, float]:
        """The metrics on the rows held out."""
        return {name: value for name, value in self.metrics.items() if not name.startswith((TRAINING, COST))}

    @property
    def training(self) -> dict[str, float]:
        """The metrics on rows that the model learned from; empty where they were not recorded."""
        return self._under(TRAINING)

    @property
    def cost(self) -> dict[str, float]:
        """``cpu_seconds`` of cores at work, ``gpu_seconds`` of GPUs held; empty where they were not measured."""
        return self._under(COST)

    def _under(self, prefix: str) -> dict[str, float]:
        return {name.removeprefix(prefix): value for name, value in self.metrics.items() if name.startswith(prefix)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One invocation of a recipe.

    Attributes:
        run_id: Its name; sorts by time.
        recipe: The recipe's name.
        status: ``running``, ``succeeded``, ``rejected`` (a criterion was missed), ``failed``,
            ``interrupted``; ``lost`` where its process ended without saying so.
        started: Seconds since 1970.
        finished: Likewise; None while it runs.
        pid: Its process.
        host: Its machine.
        overrides: Its command line.
        summary: What came of it.
        plan: For each stage: ``stage``, ``action``, ``reason``, ``fingerprint``.
    """

    run_id: str
    recipe: str
    status: str
    started: float
    finished: float | None
    pid: int
    host: str
    overrides: list[str]
    summary: Json = field(default_factory=dict)
    plan: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a run."""

    id: int
    run_id: str
    time: float
    kind: str
    payload: Json


def chosen_preparation(records: Mapping[str, StageRecord]) -> Json:
    """Give what is told of the preparation that was selected.

    Args:
        records: The stages of a run. The stage `prepare` has the preparation as the recipe has it; where the search
            chose another one, the stage `train` has fitted that.
    """
    found: Json = records["train"].summary.get("preparation") or records["prepare"].summary
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A model that met its criteria, under a number.

    Attributes:
        recipe: The recipe's name.
        number: From 1, dense for each recipe.
        fingerprint: Of the release stage; the same work never gets a second number.
        manifest: Digest of all that serving needs.
        metrics: On the holdout.
        created: Seconds since 1970.
        run_id: The run that made it.
        notes: In the recipe's words.
    """

    recipe: str
    number: int
    fingerprint: str
    manifest: str
    metrics: dict[str, float]
    created: float
    run_id: str
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A release that is served.

    Attributes:
        recipe: The recipe's name; it has one deployment at most in each environment.
        release: The release's number.
        route: The path under which it answers.
        host: Where it listens.
        port: Likewise.
        address: The Ray cluster that runs it.
        pid: The process of the engine that we started for it; None on a cluster of somebody else's.
        created: Seconds since 1970.
        app: The name of the Serve application.
        session: The folder of the engine's logs.
        settings: Whatever else is needed to manage it.
        environment: Whose service it is.
    """

    recipe: str
    release: int
    route: str
    host: str
    port: int
    address: str
    pid: int | None
    created: float
    app: str
    session: str
    settings: Json = field(default_factory=dict)
    environment: str = ENVIRONMENTS[0]

    @property
    def named(self) -> str:
        """What it is called among people."""
        return f"{self.recipe} in {self.environment}"

    @property
    def words(self) -> str:
        """The words of a command that is about it."""
        return f"recipe={self.recipe} environment={self.environment}"


def service_name(recipe: str, environment: str) -> ServiceName:
    """Name the service of a recipe in an environment.

    No recipe has a dot in its name: this is never the name of another recipe.
    """
    return ServiceName(f"{recipe}.{environment}")


def logs_of(service: ServiceName) -> tuple[str, ...]:
    """Name the logs of a service: its own, after the one of its recipe from when environments shared a service."""
    return tuple(dict.fromkeys((service.partition(".")[0], service)))
