"""All that a report may say, as plain data: whoever renders it reads no store, no recipe and no clock.

A part that a run did not reach is absent (None or empty), and the page leaves it out or says so. The mappings
have the shapes that the stages recorded; a key that is missing from one is treated as a part that is absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """The rows that the run read.

    Attributes:
        source: Where they came from, as the recipe names it.
        rows: Rows of the snapshot.
        columns: Columns of the snapshot.
        snapshot: Digest of the snapshot's bytes (hex SHA-256).
        target: The column that is predicted; None where none is.
        positive: The value of the target that counts as positive.
        key: The column that names a row.
        contract: One mapping a column: ``name``, ``type``, ``nullable``, ``range``, ``one_of``, ``known``,
            ``description``; only ``name`` is needed.
        joins: ``join``, ``matched`` and ``unmatched`` (rows) of each table whose columns were added.
        stacks: ``stack`` and ``rows`` of each table that was put below.
        references: ``references``, ``rows`` and ``unmatched`` of each table in which values must stand.
        likeness: ``column``, ``version``, ``measure``, ``measured`` and ``at_most`` of each column compared.
        intakes: Of a source that is taken in piece by piece, each intake in order: ``intake`` (its number), ``taken``
            (when, in seconds since 1970), and the rows that were ``new``, ``late`` (among the new ones), ``changed``,
            ``superseded``, ``repeated`` and ``refused``; ``rows`` in all.
        left_out: Rows that the recipe is not about.
        lost: Column → values that did not survive their cast.
    """

    source: str
    rows: int
    columns: int
    snapshot: str
    target: str | None
    positive: object = None
    key: str | None = None
    contract: Sequence[Json] = ()
    joins: Sequence[Json] = ()
    stacks: Sequence[Json] = ()
    references: Sequence[Json] = ()
    likeness: Sequence[Json] = ()
    intakes: Sequence[Json] = ()
    left_out: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What somebody needs to make the same result again.

    Attributes:
        seed: The seed of every split and fit.
        versions: Library → version.
        overrides: What the command line changed in the recipe.
    """

    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    overrides: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """One run, ready to be read by people.

    Attributes:
        recipe: Name of the recipe.
        run_id: Name of the run.
        started: When the run began, in seconds since 1970 (UTC).
        description: What the model is for, in the recipe's words.
        owner: ``name`` and ``contact`` of who answers for it.
        purpose: ``goal``, ``stakeholders`` (name → what the model is to them), ``deliverables`` (name → ``what`` and
            ``due``), ``assumptions`` and ``out_of_scope``, in the recipe's words.
        task: Kind of problem.
        release: Number of the release; None where the run made none.
        accepted: Whether every criterion was met; None where that was not decided.
        criteria: ``metric``, ``at_least``, ``at_most``, ``value``, ``met`` of each criterion.
        stages: The lifecycle in order: ``stage``, ``action`` (reuse, rebuild, new), ``reason``,
            ``fingerprint``; ``seconds`` where known; ``parents`` (names) where not just the stage before.
        steps: The preparation as it was fitted, one mapping a step.
        contract: What the features promise: ``key``, ``features`` (how many), ``wanted``, ``broken`` and ``severity``
            of each part.
        suspects: Features that predict the target almost alone: ``feature`` and ``score`` of each.
        leaderboard: Every trial of the search, best first.
        importance: Which hyperparameters made the difference, by model.
        histories: How the fits of the chosen trial, or of the members of an ensemble, went: trial → a history for each
            fold, as `models.history` writes it.
        selection: The trial that was chosen, and why.
        evaluation: The scores on the holdout: metrics, curves, confusion and value.
        rival: The release in place on the same rows: ``release``, ``fair``, ``metrics`` and ``gains``, or ``why_not``.
        explanation: What the model looks at, what it adds up, and where it is wrong.
        nested: What outer folds say of the whole procedure: ``folds``, ``metrics``, ``inner`` and ``outer``.
        data: The rows that were read.
        origins: Versions, seed and overrides.
    """

    recipe: str
    run_id: str
    started: float
    description: str | None = None
    owner: Json | None = None
    purpose: Json = field(default_factory=dict)
    task: str | None = None
    release: int | None = None
    accepted: bool | None = None
    criteria: Sequence[Json] = ()
    stages: Sequence[Json] = ()
    steps: Sequence[Json] = ()
    contract: Sequence[Json] = ()
    suspects: Sequence[Json] = ()
    leaderboard: Json | None = None
    importance: Json | None = None
    histories: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    selection: Json | None = None
    evaluation: Json | None = None
    rival: Json | None = None
    nested: Json | None = None
    explanation: Json | None = None
    data: DataFacts | None = None
    origins: Origins = field(default_factory=Origins)
