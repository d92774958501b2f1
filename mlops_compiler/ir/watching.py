"""What the rules of monitoring are about, in the words of recipes and of findings."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

RuleKind: TypeAlias = Literal[
    "drift",
    "prediction_drift",
    "label_drift",
    "quality",
    "performance",
    "estimate",
    "latency",
    "errors",
    "staleness",
    "slice",
]
KINDS: tuple[RuleKind, ...] = get_args(RuleKind)
"""What rules are about, and what an alert may ask the agreement of."""
