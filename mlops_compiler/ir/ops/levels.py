"""Steps that turn levels and texts into numbers, or into fewer levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHot:
    """Replace each column by an indicator for each level of the training rows."""

    op: ClassVar[str] = "one_hot"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    max_levels: int
    rare: Literal["group", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinal:
    """Put its place for each level: in `order`, else in the order of the training levels as texts; -1 for others."""

    op: ClassVar[str] = "ordinal"
    columns: tuple[str, ...]
    order: tuple[str, ...] | None = None

    @property
    def learns(self) -> bool:
        """Whether it learns from the training rows."""
        return self.order is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """Number the levels of columns that models take as categories; no recipe names it, the compiler puts it last.

    The most frequent levels of the training rows, in the order of texts, get 0 to n - 1; one that is rarer or was not
    there gets n, and what is missing n + 1.
    """

    op: ClassVar[str] = "categories"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    max_levels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """Put the share of the training rows that hold it for each level; 0 for what they do not hold."""

    op: ClassVar[str] = "frequency"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEncode:
    """Put the rate of the positive class among the training rows of a level, drawn towards that of all by `smoothing`.

    Of a regression it is the mean of the target (`continuous`).

    Rows to learn from get the rate of the other parts of `folds`, so that no row sees its own outcome.
    Source: Micci-Barreca, SIGKDD Explorations 3 (2001), https://doi.org/10.1145/507533.507538.
    """

    op: ClassVar[str] = "target_encode"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    smoothing: float
    folds: int
    continuous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HashEncode:
    """Replace each column by `buckets` indicators; a level's bucket follows from its own bytes, so none is new."""

    op: ClassVar[str] = "hash"
    learns: ClassVar[bool] = False
    columns: tuple[str, ...]
    buckets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRare:
    """Put one level for all that are rarer than `min_share` of the training rows, or not among the first `keep`."""

    op: ClassVar[str] = "group_rare"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    min_share: float
    keep: int | None
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Replace texts by `components` numbers: TF-IDF of their words, reduced by a truncated SVD.

    Source: Deerwester et al., JASIS 41 (1990), latent semantic analysis.
    """

    op: ClassVar[str] = "text_topics"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    components: int
    max_terms: int
    min_rows: int
