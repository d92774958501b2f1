"""What a check found, as data: each rule looks at one thing, and rules of several kinds must agree on an alert.

A kind has one vote, however many of its rules fire: columns that move together are no independent witnesses.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_compiler.ir.watching import RuleKind
    from mlops_compiler.store.operations import Check

Json = dict[str, Any]
Status: TypeAlias = Literal["quiet", "noticed", "alert", "blind"]
QUIET, NOTICED, ALERT, BLIND = "quiet", "noticed", "alert", "blind"
"""Nothing fired; a rule fired and too few agree; enough agree; there was nothing to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that was looked at.

    Attributes:
        rule: Its name: the kind, and what of it, ``drift:monthly_charges``.
        kind: What it is about.
        fired: Whether it found what it looks for.
        value: What was measured.
        limit: What it must not pass.
        why: What was found, in a sentence; of a rule that could not look, why not.
        p: How likely such a finding is by chance, adjusted for the number of tests; None where no test was made.
        rows: How many rows were looked at.
        looked: Whether there was enough to look at.
        in_a_row: In how many checks it has fired one after the other, this one counted.
    """

    rule: str
    kind: RuleKind
    fired: bool = False
    value: float | None = None
    limit: float | None = None
    why: str = ""
    p: float | None = None
    rows: int = 0
    looked: bool = True
    in_a_row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """When findings are an alert.

    Attributes:
        agree: So many of `of` must have fired.
        of: Kinds, or names of single rules; each has one vote.
        patience: In how many checks in a row a rule must fire before it counts, by kind.
    """

    agree: int
    of: tuple[str, ...]
    patience: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check found of one release: the payload of `store.operations.Check`.

    Attributes:
        window: ``start`` and ``end`` of the time that was looked at (ISO 8601, UTC), ``asked`` as the recipe has it.
        rows: How many rows were answered in it.
        labelled: Of how many rows the outcome is known that performance was measured on.
        rules: All rules, those that fired first.
        votes: Which of the agreement's kinds or rules have fired and count.
        agree: How many of them make an alert.
        drift: Of each column, prediction and label, what was measured: ``column``, ``kind`` (as of a rule), ``type``,
            ``effect``, ``measure``, ``limit``, ``p``, ``drifted``, ``rows`` and further measures; None where none.
        slice_drift: Of each slice the same of the column that moved farthest beyond what all rows show (``effect``),
            with ``slice``, ``moved`` (how far it moved alone), ``columns`` (all that drifted) and ``compared``.
        performance: ``rows``, ``metrics``, ``intervals``, and those of the holdout under ``holdout``.
        estimate: The same, estimated; ``calibrated`` says whether the probabilities can be taken at their word.
        traffic: ``requests``, ``errors``, ``refused``, ``seconds_p50``, ``seconds_p99``, ``last`` (ISO 8601).
        slices: Of each slice ``slice``, ``rows``, ``value``, ``low``, ``high``, ``holdout``, ``p``, ``q``, ``worse``.
    """

    window: Json
    rows: int
    labelled: int = 0
    rules: tuple[Rule, ...] = ()
    votes: tuple[str, ...] = ()
    agree: int = 1
    drift: tuple[Json, ...] = ()
    slice_drift: tuple[Json, ...] = ()
    performance: Json = field(default_factory=dict)
    estimate: Json = field(default_factory=dict)
    traffic: Json = field(default_factory=dict)
    slices: tuple[Json, ...] = ()

    @property
    def fired(self) -> tuple[Rule, ...]:
        """The rules that fired."""
        return tuple(rule for rule in self.rules if rule.fired)

    @property
    def status(self) -> Status:
        """Say what the findings come to."""
        if len(self.votes) >= self.agree:
            return "alert"
        if self.fired:
            return "noticed"
        return "quiet" if any(rule.looked for rule in self.rules) else "blind"

    def to_json(self) -> Json:
        """Give the payload of a check."""
        return asdict(self)


def settled(rules: Iterable[Rule], before: Sequence[Check]) -> tuple[Rule, ...]:
    """Count in how many checks in a row each rule has fired; those that fired come first.

    A check that could not look at something neither counts nor ends a row.

    Args:
        rules: Those of this check.
        before: The checks before it of the same release, the newest first.
    """
    counted = [_counted(rule, before) for rule in rules]
    return tuple(sorted(counted, key=lambda rule: (not rule.fired, not rule.looked)))


def _counted(rule: Rule, before: Sequence[Check]) -> Rule:
    if not rule.fired:
        return rule
    found: Json = {}
    for check in before:
        found = next((item for item in check.payload.get("rules", ()) if item["rule"] == rule.rule), {})
        if found.get("looked"):
            break
    return _with(rule, int(found.get("in_a_row", 0)) + 1)


def _with(rule: Rule, in_a_row: int) -> Rule:
    return Rule(**{**asdict(rule), "in_a_row": in_a_row})


def votes(rules: Iterable[Rule], agreement: Agreement) -> tuple[str, ...]:
    """Name the kinds and rules of an agreement that have fired, and often enough."""
    counting = [rule for rule in rules if rule.fired and rule.in_a_row >= agreement.patience.get(rule.kind, 1)]
    return tuple(name for name in agreement.of if any(name in (rule.kind, rule.rule) for rule in counting))
