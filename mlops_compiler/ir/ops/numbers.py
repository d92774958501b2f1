"""Steps on numbers, and on what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from mlops_compiler.ir.domain import Scalar  # noqa: TC001 - the codec reads the annotations of these classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Impute:
    """Fill nulls (and NaNs) of `columns` with a constant, or with a statistic of the training rows.

    Attributes:
        by: Columns whose values make groups; a group's own statistic fills it, that of all rows a group not known.
        indicator: Whether a column ``NAME_missing`` says what was missing.
    """

    op: ClassVar[str] = "impute"
    columns: tuple[str, ...]
    value: Scalar = None
    statistic: Literal["mean", "median", "mode"] | None = None
    by: tuple[str, ...] = ()
    indicator: bool = False

    @property
    def learns(self) -> bool:
        """Whether it learns from the training rows."""
        return self.statistic is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputeModel:
    """Fill nulls of `columns` with what a ridge regression on `using` expects, fitted on the rows that have a value."""

    op: ClassVar[str] = "impute_model"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    using: tuple[str, ...]
    indicator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Log1p:
    """Take log(1 + x)."""

    op: ClassVar[str] = "log1p"
    learns: ClassVar[bool] = False
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Bring numbers near to a normal distribution: Yeo-Johnson, its exponent by maximum likelihood.

    Source: Yeo and Johnson, Biometrika 87 (2000), https://doi.org/10.1093/biomet/87.4.954.
    """

    op: ClassVar[str] = "yeo_johnson"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardize:
    """Subtract the training mean, divide by the training standard deviation (population form, as scikit-learn's)."""

    op: ClassVar[str] = "standardize"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustScale:
    """Subtract the training median, divide by the training interquartile range."""

    op: ClassVar[str] = "robust_scale"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinMaxScale:
    """Bring the range of the training rows to 0 to 1; what lies beyond it stays beyond, unless it is clipped."""

    op: ClassVar[str] = "min_max_scale"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    clip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileScale:
    """Put the share of the training rows that lie below each value, linear between `quantiles` of them."""

    op: ClassVar[str] = "quantile_scale"
    learns: ClassVar[bool] = True
    columns: tuple[str, ...]
    quantiles: int
    to: Literal["uniform", "normal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Bring values to bounds: quantiles of the training rows, or so many interquartile ranges beyond the quartiles."""

    op: ClassVar[str] = "clip"
    learns: ClassVar[bool] = True
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

    @property
    def learns(self) -> bool:
        """Whether it learns from the training rows."""
        return self.edges is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Change the type of columns; more values than `max_loss` that do not survive are an error, the others missing."""

    op: ClassVar[str] = "cast"
    learns: ClassVar[bool] = False
    columns: tuple[str, ...]
    to: str
    max_loss: float = 0.0
