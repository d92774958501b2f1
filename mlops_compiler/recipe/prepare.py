"""`prepare:` is a named mapping of steps; they run in the order written."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_compiler.recipe.steps.base import Selector, Step
from mlops_compiler.recipe.steps.levels import (
    DateParts,
    Frequency,
    GroupRare,
    Hash,
    OneHot,
    Ordinal,
    TargetEncode,
    TextCounts,
    TextTopics,
)
from mlops_compiler.recipe.steps.numbers import (
    Bins,
    Cast,
    Clip,
    Impute,
    Log1p,
    MinMaxScale,
    QuantileScale,
    RobustScale,
    Standardize,
    Winsorize,
    YeoJohnson,
)
from mlops_compiler.recipe.steps.tables import (
    Balance,
    Cross,
    Deduplicate,
    Derive,
    Drop,
    DropConstant,
    DropCorrelated,
    Filter,
    GroupAggregate,
    Ratio,
    Rename,
    SelectKBest,
    Sql,
)

AnyStep = Annotated[
    Impute
    | Derive
    | Ratio
    | Cross
    | Sql
    | Rename
    | Log1p
    | YeoJohnson
    | Clip
    | Winsorize
    | Bins
    | Standardize
    | RobustScale
    | MinMaxScale
    | QuantileScale
    | OneHot
    | Ordinal
    | Frequency
    | TargetEncode
    | Hash
    | GroupRare
    | TextTopics
    | TextCounts
    | DateParts
    | GroupAggregate
    | SelectKBest
    | DropConstant
    | DropCorrelated
    | Drop
    | Cast
    | Filter
    | Deduplicate
    | Balance,
    Field(discriminator="op"),
]

__all__ = [
    "AnyStep",
    "Balance",
    "Bins",
    "Cast",
    "Clip",
    "Cross",
    "DateParts",
    "Deduplicate",
    "Derive",
    "Drop",
    "DropConstant",
    "DropCorrelated",
    "Filter",
    "Frequency",
    "GroupAggregate",
    "GroupRare",
    "Hash",
    "Impute",
    "Log1p",
    "MinMaxScale",
    "OneHot",
    "Ordinal",
    "QuantileScale",
    "Ratio",
    "Rename",
    "RobustScale",
    "SelectKBest",
    "Selector",
    "Sql",
    "Standardize",
    "Step",
    "TargetEncode",
    "TextCounts",
    "TextTopics",
    "Winsorize",
    "YeoJohnson",
]
