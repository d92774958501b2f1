"""The step of the pipeline that no class of scikit-learn is; the environments of peers import it by this name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def derive(rows: pd.DataFrame) -> pd.DataFrame:
    """Add what was paid a month over all the years, and flatten the tail of what was paid in all."""
    total = rows["total_charges"].fillna(0.0)
    return rows.assign(charge_per_month=total / rows["tenure"].clip(lower=1), total_charges=np.log1p(total))


derive.__module__ = "telco"
"""So it is stored by a name that is found with this folder alone on the path, without the rest of this project."""
