"""The verb of feedback: rows that were predicted wrong come back with their outcome, to learn from and no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span

Measure = Literal["probability_error", "error", "times_rmse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which rows may come back; what it chose is named by the content of the table.

    Attributes:
        measure: How far off a prediction is: one less the probability of the class that came, the distance of values in
            the unit of the target, or the same in the release's root mean squared error.
        sign: ``>`` or ``>=``.
        limit: From where on it counts as wrong.
        wait: Seconds after a prediction in which its outcome is not final.
        rows: The most rows from one API key.
        level: How often an API key with good labels may be held back, for all keys together.
        times: How many times as often as others' its labels must say that predictions are wrong.
        keys: API keys that are held back in any case.
    """

    measure: Measure
    sign: Literal[">", ">="]
    limit: float
    wait: float
    rows: int
    level: float
    times: float
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedBack:
    """Put rows that come back below those of the snapshot, for every model to learn from and none to be judged by.

    Attributes:
        key: The column that names a row, where there is one.
        at_most: The greatest share of what is learned from that they may be, by number and by weight.
        share: The greatest share of that for one API key.
        weight: What one of them weighs beside a mean training row, at most.
        must_beat: What a model that learned from them must be better than.
        metric: By what.
        choice: Which rows may come back.
        table: The digest of those that were collected; None while there are none.
        rows: How many they are.
        collected: When, in seconds since 1970.
    """

    verb: ClassVar[str] = "feed back"
    key: str | None
    at_most: float
    share: float
    weight: float
    must_beat: Literal["current", "baseline", "nothing"]
    metric: str
    choice: Choice
    table: str | None = None
    rows: int = 0
    collected: float | None = None
    span: Span | None = field(default=None, compare=False)
