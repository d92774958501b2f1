"""What an exploration is told of the data, and what it gives: plain values that are JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.domain import Scalar  # noqa: TC001 - a field of a class that is documented by it
from mlops_compiler.ir.task import Task  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 2
"""Another number where the same rows would give other findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a table beside its rows.

    Attributes:
        name: What it is called.
        target: The column to be predicted; None where nothing is.
        task: What models shall be asked for; None where that is not known.
        positive: The value of the target that counts.
        key: The column that names each row.
        time: The column that orders the rows.
        groups: The columns whose equal rows belong together.
        late: Columns that are known only after the outcome.
        ignore: Columns that the recipe leaves out.
        sample: The most rows that tests and scores look at; shares and counts are those of all rows.
        bytes: The size of the source, where it is known.
    """

    name: str
    target: str | None = None
    task: Task | None = None
    positive: Scalar = None
    key: str | None = None
    time: str | None = None
    groups: tuple[str, ...] = ()
    weight: str | None = None
    late: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sample: int = 100_000
    bytes: int | None = None

    @property
    def roles(self) -> dict[str, str]:
        """The role of each column that is no feature."""
        named = {self.target: "target", self.key: "key", self.time: "time", self.weight: "weight"}
        roles = {name: role for name, role in named.items() if name is not None}
        return roles | dict.fromkeys(self.groups, "group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something worth knowing.

    Attributes:
        kind: What kind of thing: ``missing-not-at-random``, ``informative``, ...
        columns: The columns that it is about.
        text: A sentence.
        measure: The number that it rests on, such as a ROC AUC or a share; its meaning follows from the kind.
        advice: What to do about it; None where it is good news.
    """

    kind: str
    columns: tuple[str, ...]
    text: str
    measure: float | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What was found.

    Attributes:
        about: What was known before.
        rows: Rows of the table.
        sampled: Rows that tests and scores looked at.
        vs: Volume, velocity, variety, veracity and value, as a few numbers each.
        columns: For each column its kind, counts, statistics and distribution.
        target: How often each value of the target occurs.
        patterns: Which columns are missing together, the most frequent first.
        scores: How well each column alone tells the target, by the measure of the task; the best first.
        pairs: Columns that say nearly the same.
        periods: Rows over time, and the share of positives or the mean of the target.
        findings: What is worth knowing, the gravest first.
    """

    about: About
    rows: int
    sampled: int
    vs: dict[str, dict[str, Any]]
    columns: list[dict[str, Any]]
    target: list[dict[str, Any]] = field(default_factory=list)
    patterns: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    periods: list[dict[str, Any]] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exploration:
        """Read what `to_json` gave.

        Raises:
            KeyError: It is something else.
            TypeError: It is something else.
        """
        rest = {name: value for name, value in data.items() if name not in {"version", "about", "findings"}}
        about: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data["about"].items()
        }
        findings = tuple(Finding(**{**item, "columns": tuple(item["columns"])}) for item in data["findings"])
        return cls(about=About(**about), findings=findings, **rest)
