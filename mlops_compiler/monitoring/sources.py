"""Whose labels can be trusted: those of one API key beside those of all others.

A key that sends false labels makes predictions look wrong more often than they are. How surprising a label is, and how
surprising it is to be expected, the probabilities themselves say, row by row: the difference is the score of Rao's test
for labels that were flipped, cut off where the model is sure, as it may be wrong to be. If the world drifts, labels of
everybody surprise more. So the mean of a key is compared with that of the others (Welch, "The generalization of
'Student's' problem", Biometrika, 1947), by one side; the tests of all keys are one family (Holm, 1979).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = "key:"
"""What the source of a label begins with that was sent under an API key; others are the recipe's own files."""
FEWEST = 30
"""Labels of a source below which nothing is said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What one source said of predictions.

    Attributes:
        rows: How many it labelled.
        wrong: How many of them are wrong by its labels.
        expected: How many of them the probabilities lead to expect wrong.
        surprise: The sum of how surprising its labels are, beyond what is to be expected.
        squares: The sum of the squares of that.
    """

    rows: int
    wrong: int
    expected: float
    surprise: float
    squares: float

    def __add__(self, other: Labelled) -> Labelled:
        return Labelled(
            rows=self.rows + other.rows,
            wrong=self.wrong + other.wrong,
            expected=self.expected + other.expected,
            surprise=self.surprise + other.surprise,
            squares=self.squares + other.squares,
        )

    @property
    def mean(self) -> float:
        """How surprising a label is in the mean."""
        return self.surprise / self.rows

    @property
    def error(self) -> float:
        """The squared standard error of the mean."""
        return max(0.0, (self.squares - self.rows * self.mean**2) / (self.rows - 1) / self.rows)

    @property
    def rate(self) -> float:
        """How many are wrong over how many are to be expected; half a row more, so that none is not infinitely good."""
        return (self.wrong + 0.5) / (self.expected + 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be said of a source.

    Attributes:
        times: How many times as often as by others' labels predictions are wrong by its own; None where that cannot be
            said: it is alone, or sent too few.
        p: How likely it is by chance that its labels surprise so much more, for all sources together; None likewise.
        held_back: Whether its labels do not come back.
        why: Why not.
    """

    times: float | None = None
    p: float | None = None
    held_back: bool = False
    why: str = ""


def judge(
    found: Mapping[str, Labelled], *, level: float, times: float, keys: tuple[str, ...] = ()
) -> dict[str, Verdict]:
    """Judge every source that sends labels under a key; the worst first, which then is no other to the rest.

    Args:
        found: What each source said.
        level: How often a source may be held back whose labels are as good as the others'.
        times: How many times as often as others' its labels must call predictions wrong.
        keys: Names of API keys that are held back in any case.
    """
    said = Verdict(held_back=True, why="the recipe holds it back")
    verdicts = {name: said for name in found if name.startswith(OWN) and name.removeprefix(OWN) in keys}
    while True:
        left = {name: item for name, item in found.items() if name not in verdicts or not verdicts[name].held_back}
        judged = _adjusted({name: _beside(left, name) for name in left if name.startswith(OWN)})
        verdicts |= judged
        guilty = [(item.p, name) for name, item in judged.items() if _is_guilty(item, level, times)]
        if not guilty:
            return verdicts
        _, worst = min(guilty)
        told = judged[worst]
        why = f"its labels call predictions wrong {told.times:.2g} times as often as others' do (p = {told.p:.1g})"
        verdicts[worst] = Verdict(times=told.times, p=told.p, held_back=True, why=why)


def _is_guilty(item: Verdict, level: float, times: float) -> bool:
    return item.p is not None and item.times is not None and item.p <= level and item.times >= times


def _beside(found: Mapping[str, Labelled], name: str) -> Verdict:
    """Compare one source with all others."""
    own, rest = found[name], [item for other, item in found.items() if other != name]
    others = sum(rest[1:], rest[0]) if rest else None
    if others is None or min(own.rows, others.rows) < FEWEST:
        return Verdict()
    spread = math.sqrt(own.error + others.error)
    z = (own.mean - others.mean) / spread if spread else 0.0
    return Verdict(times=own.rate / others.rate, p=math.erfc(z / math.sqrt(2)) / 2)


def _adjusted(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Adjust for the number of tests (Holm)."""
    tested = sorted((item.p, name) for name, item in verdicts.items() if item.p is not None)
    found, highest = dict(verdicts), 0.0
    for place, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - place) * p))
        found[name] = Verdict(times=verdicts[name].times, p=highest)
    return found
