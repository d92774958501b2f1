"""`intake:` says that a source is taken in piece by piece: what is new each time, and how repeated rows are known."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.recipe.amounts import Delay
from mlops_compiler.recipe.feedback import Cron
from mlops_compiler.section import Section


class Intake(Section):
    """What every way of taking rows in says."""

    key: Annotated[str, Field(min_length=1)] | tuple[str, ...] = ()
    """The columns that name a row. Where they are not given, `data.key` does; where there is none, all columns do."""
    keep: Literal["last", "first"] = "last"
    """Which row stays where a key comes again with other values: the last (by the watermark, if there is one), or the
    one that was taken first."""
    cron: Cron | None = None
    """When ``mlops-compile intake --watch`` takes rows in."""


class ByWatermark(Intake):
    """Take the rows in whose watermark lies beyond the greatest that was taken."""

    by: Literal["watermark"]
    column: Annotated[str, Field(min_length=1)]
    """A column that grows with time: a number, date or time, as that of the last change."""
    late: Delay = 0.0
    """How far behind the watermark rows may come and still be taken; in the column's unit where it holds numbers."""


class ByNewFiles(Intake):
    """Take the files in whose content was not taken before; of a Delta table, its new versions."""

    by: Literal["new_files"]


AnyIntake = Annotated[ByWatermark | ByNewFiles | None, Field(discriminator="by")]
