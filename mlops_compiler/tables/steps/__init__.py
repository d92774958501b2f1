"""Each step as Polars expressions, one file a step; what all of them can be asked stands in `base`."""

from mlops_compiler.tables.steps import bins, cast, clip, derive, drop, encode, filter, impute, log1p, one_hot, scale  # noqa: A004, F401
from mlops_compiler.tables.steps.base import Change, Learned, change, learn, neutral, reads, statistics, writes

__all__ = ["Change", "Learned", "change", "learn", "neutral", "reads", "statistics", "writes"]
