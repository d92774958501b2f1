"""Steps on whole tables: which columns and rows there are, and what one group tells of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Derive:
    """Compute columns from SQL expressions, all over the input of the step; then remove some."""

    op: ClassVar[str] = "derive"
    learns: ClassVar[bool] = False
    expressions: tuple[tuple[str, str], ...]
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Give columns other names: pairs of the old and the new one."""

    op: ClassVar[str] = "rename"
    learns: ClassVar[bool] = False
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Remove columns."""

    op: ClassVar[str] = "drop"
    learns: ClassVar[bool] = False
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Keep the rows for which `where` is true, in training and scoring."""

    op: ClassVar[str] = "filter"
    learns: ClassVar[bool] = False
    where: str
    max_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplicate:
    """Learn from one row only of those that are equal in `columns`: the first; rows that are scored all stay."""

    op: ClassVar[str] = "deduplicate"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    max_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Add statistics of the training rows of the same group; a group not known gets those of all of them."""

    op: ClassVar[str] = "group_aggregate"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    by: tuple[str, ...]
    statistics: tuple[Literal["mean", "median", "min", "max", "std", "count"], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectKBest:
    """Keep the `k` columns that tell most of the target by themselves; `columns` may name open ones.

    A target that is `continuous` is judged by its tenths.
    """

    op: ClassVar[str] = "select_k_best"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    k: int
    continuous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropConstant:
    """Remove the columns whose variance over the training rows is at most `min_variance`."""

    op: ClassVar[str] = "drop_constant"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    min_variance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCorrelated:
    """Of columns whose correlation over the training rows is above a limit, keep the first."""

    op: ClassVar[str] = "drop_correlated"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    above: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Let all classes weigh the same where a model learns: by weights, by repeating rows, or by leaving some out."""

    op: ClassVar[str] = "balance"
    learns: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ()
    method: Literal["weights", "over", "under"]
    seed: int
