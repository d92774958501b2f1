"""Whose labels can be trusted: those of one API key beside those of all others.

A key that sends false labels makes predictions look wrong more often than they are. How often they should look wrong,
the probabilities themselves say, row by row; if the world drifts, they look wrong more often to everybody. So a key is
compared with the others, each by what it found wrong over what was to be expected. Given how many were found wrong in
all, the number of one side is binomial (Przyborowski and Wilenski, "Homogeneity of results in testing samples from
Poisson series", Biometrika, 1940); the tests of all keys are one family (Holm, 1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = "key:"
"""What the source of a label begins with that was sent under an API key; others are the recipe's own files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What one source said of predictions.

    Attributes:
        rows: How many it labelled.
        wrong: How many of them are wrong by its labels.
        expected: How many of them the probabilities lead to expect wrong.
    """

    rows: int
    wrong: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be said of a source.

    Attributes:
        times: How many times as often as by others' labels predictions are wrong by its own; None without others.
        p: How likely that is by chance, for all sources together; None likewise.
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
    verdicts = {
        name: Verdict(held_back=True, why="the recipe holds it back")
        for name in found
        if name.removeprefix(OWN) in keys
    }
    while True:
        left = {name: item for name, item in found.items() if name not in verdicts or not verdicts[name].held_back}
        judged = _adjusted({name: _beside(left, name) for name in left if name.startswith(OWN)})
        verdicts |= judged
        guilty = [
            name
            for name, item in judged.items()
            if item.p is not None and item.times is not None and item.p <= level and item.times >= times
        ]
        if not guilty:
            return verdicts
        worst = min(guilty, key=lambda name: (judged[name].p, name))
        told = judged[worst]
        why = f"its labels call predictions wrong {told.times:.2g} times as often as others' do (p = {told.p:.2g})"
        verdicts[worst] = Verdict(times=told.times, p=told.p, held_back=True, why=why)


def _beside(found: Mapping[str, Labelled], name: str) -> Verdict:
    """Compare one source with all others."""
    from scipy.stats import binom

    own = found[name]
    wrong = sum(item.wrong for other, item in found.items() if other != name)
    expected = sum(item.expected for other, item in found.items() if other != name)
    if not own.expected or not expected:
        return Verdict()
    share = own.expected / (own.expected + expected)
    p = float(binom.sf(own.wrong - 1, own.wrong + wrong, share)) if own.wrong else 1.0
    # Half a row is added to both: a side without any wrong would be infinitely better.
    return Verdict(times=(own.wrong + 0.5) / own.expected / ((wrong + 0.5) / expected), p=p)


def _adjusted(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Adjust for the number of tests (Holm)."""
    tested = sorted((item.p, name) for name, item in verdicts.items() if item.p is not None)
    found, highest = dict(verdicts), 0.0
    for place, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - place) * p))
        found[name] = Verdict(times=verdicts[name].times, p=highest)
    return found
