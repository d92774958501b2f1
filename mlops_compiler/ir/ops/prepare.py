"""The steps of a preparation, with their columns resolved: what they do, no word on how.

Each names the columns that it reads, and says whether it learns from the training rows (else it is stateless).
"""

from __future__ import annotations

from typing import TypeAlias, get_args

from mlops_compiler.ir.ops.levels import (
    Categories,
    Frequency,
    GroupRare,
    HashEncode,
    OneHot,
    Ordinal,
    TargetEncode,
    Topics,
)
from mlops_compiler.ir.ops.numbers import (
    Bins,
    Cast,
    Clip,
    Impute,
    ImputeModel,
    Log1p,
    MinMaxScale,
    Power,
    QuantileScale,
    RobustScale,
    Standardize,
)
from mlops_compiler.ir.ops.tables import (
    Aggregate,
    Balance,
    Deduplicate,
    Derive,
    Drop,
    DropConstant,
    DropCorrelated,
    Filter,
    Rename,
    SelectKBest,
)

StepOp: TypeAlias = (
    Impute
    | ImputeModel
    | Derive
    | Rename
    | Log1p
    | Power
    | Clip
    | Bins
    | Standardize
    | RobustScale
    | MinMaxScale
    | QuantileScale
    | OneHot
    | Ordinal
    | Categories
    | Frequency
    | TargetEncode
    | HashEncode
    | GroupRare
    | Topics
    | Aggregate
    | SelectKBest
    | DropConstant
    | DropCorrelated
    | Drop
    | Cast
    | Filter
    | Deduplicate
    | Balance
)

STEP_OPS: dict[str, type[StepOp]] = {kind.op: kind for kind in get_args(StepOp)}

Selection: TypeAlias = SelectKBest | DropConstant | DropCorrelated
"""Steps that choose among columns by what the training rows tell of them."""
ByRows: TypeAlias = Deduplicate | Balance
"""Steps that change which rows a model learns from."""

__all__ = [
    "STEP_OPS",
    "Aggregate",
    "Balance",
    "Bins",
    "ByRows",
    "Cast",
    "Categories",
    "Clip",
    "Deduplicate",
    "Derive",
    "Drop",
    "DropConstant",
    "DropCorrelated",
    "Filter",
    "Frequency",
    "GroupRare",
    "HashEncode",
    "Impute",
    "ImputeModel",
    "Log1p",
    "MinMaxScale",
    "OneHot",
    "Ordinal",
    "Power",
    "QuantileScale",
    "Rename",
    "RobustScale",
    "SelectKBest",
    "Selection",
    "Standardize",
    "StepOp",
    "TargetEncode",
    "Topics",
    "is_fitted",
]


def is_fitted(step: StepOp) -> bool:
    """Say whether a step learns from the training rows (else it is stateless)."""
    return step.learns
