"""The steps of a preparation, with their columns resolved: what they do, no word on how.

Each names the columns that it reads; those that learn from the training rows say so in `FITTED`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from mlops_compiler.ir.domain import Scalar  # noqa: TC001 - the codec reads the annotations of these classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Impute:
    """Fill nulls (and NaNs) of `columns` with a constant, or with a statistic of the training rows."""

    op: ClassVar[str] = "impute"
    columns: tuple[str, ...]
    value: Scalar = None
    statistic: Literal["mean", "median", "mode"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Derive:
    """Compute columns from SQL expressions, all over the input of the step."""

    op: ClassVar[str] = "derive"
    expressions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log1p:
    """Take log(1 + x)."""

    op: ClassVar[str] = "log1p"
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardize:
    """Subtract the training mean, divide by the training standard deviation (population form, as scikit-learn's)."""

    op: ClassVar[str] = "standardize"
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustScale:
    """Subtract the training median, divide by the training interquartile range."""

    op: ClassVar[str] = "robust_scale"
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinMaxScale:
    """Bring the range of the training rows to 0 to 1; what lies beyond it stays beyond, unless it is clipped."""

    op: ClassVar[str] = "min_max_scale"
    columns: tuple[str, ...]
    clip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Bring values to bounds: quantiles of the training rows, or so many interquartile ranges beyond the quartiles."""

    op: ClassVar[str] = "clip"
    columns: tuple[str, ...]
    lower: float = 0.01
    upper: float = 0.99
    iqr: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Put the number of its bin for each value; exactly one of `edges`, `quantiles` and `equal_width` is set."""

    op: ClassVar[str] = "bins"
    columns: tuple[str, ...]
    edges: tuple[float, ...] | None = None
    quantiles: int | None = None
    equal_width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """Put the share of the training rows that hold it for each level; 0 for what they do not hold."""

    op: ClassVar[str] = "frequency"
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinal:
    """Put its place for each level: in `order`, else in the order of the training levels as texts; -1 for others."""

    op: ClassVar[str] = "ordinal"
    columns: tuple[str, ...]
    order: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHot:
    """Replace each column by an indicator for each level of the training rows."""

    op: ClassVar[str] = "one_hot"
    columns: tuple[str, ...]
    max_levels: int
    rare: Literal["group", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Remove columns."""

    op: ClassVar[str] = "drop"
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Change the type of columns; a value that does not survive is an error."""

    op: ClassVar[str] = "cast"
    columns: tuple[str, ...]
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Keep the rows for which `where` is true, in training and scoring."""

    op: ClassVar[str] = "filter"
    where: str
    max_loss: float


StepOp: TypeAlias = (
    Impute
    | Derive
    | Log1p
    | Clip
    | Bins
    | Standardize
    | RobustScale
    | MinMaxScale
    | OneHot
    | Ordinal
    | Frequency
    | Drop
    | Cast
    | Filter
)

STEP_OPS: dict[str, type[StepOp]] = {kind.op: kind for kind in get_args(StepOp)}


def is_fitted(step: StepOp) -> bool:
    """Say whether a step learns from the training rows (else it is stateless)."""
    match step:
        case Impute(statistic=statistic):
            return statistic is not None
        case Ordinal(order=order):
            return order is None
        case Bins(edges=edges):
            return edges is None
        case Standardize() | RobustScale() | MinMaxScale() | Clip() | OneHot() | Frequency():
            return True
        case Derive() | Log1p() | Drop() | Cast() | Filter():
            return False
