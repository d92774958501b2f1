"""An exploration as one page: a single file that needs nothing else, and the same bytes for the same findings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mlops_compiler.report.page import environment
from mlops_compiler.report.palette import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from mlops_compiler.explore.exploration import Exploration, Finding

KINDS = {
    "leak-suspect": ("Leak suspects", "bad"),
    "constant": ("Constant", "bad"),
    "id-like": ("Names of rows", "bad"),
    "duplicate-column": ("Columns twice", "bad"),
    "duplicate-rows": ("Rows twice", "bad"),
    "missing-tells": ("Gaps that tell", "warm"),
    "missing-not-at-random": ("Gaps not at random", "warm"),
    "mostly-missing": ("Mostly missing", "warm"),
    "imbalanced": ("Imbalance", "warm"),
    "drifts": ("Changes over time", "warm"),
    "near-constant": ("Nearly constant", "warm"),
    "correlated": ("Say the same", "muted"),
    "outliers": ("Outliers", "muted"),
    "many-levels": ("Many levels", "muted"),
    "skewed": ("Skewed", "muted"),
    "informative": ("Tell of the target", "good"),
}
"""For each code what it is called, and its tone."""
WIDTH, HEIGHT = 240, 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of a small chart, in its own units of `WIDTH` by `HEIGHT`."""

    x: float
    y: float
    width: float
    height: float
    title: str


def render_exploration(found: Exploration) -> str:
    """Render an exploration as one self-contained HTML file."""
    return (
        environment()
        .get_template("explore.html.j2")
        .render(
            found=found,
            palette=PALETTE,
            width=WIDTH,
            height=HEIGHT,
            groups=_groups(found),
            histograms={column["name"]: _histogram(column) for column in found.columns},
            periods=_periods(found),
            marked=_marked,
            measure="R²" if found.about.task == "regression" else "ROC AUC",
            gaps=sorted((column for column in found.columns if column["missing"]), key=lambda item: -item["missing"]),
        )
    )


def _marked(text: str) -> Markup:
    """Set what stands between backticks as code."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _groups(found: Exploration) -> list[tuple[str, str, list[Finding]]]:
    return [(*KINDS[code], list(items)) for code, items in groupby(found.findings, key=lambda item: item.kind)]


def _histogram(column: Mapping[str, Any]) -> list[Bar]:
    """Draw how a column of numbers is distributed."""
    cells = column.get("histogram", ())
    if not cells:
        return []
    start, end = cells[0]["from"], cells[-1]["to"]
    most = max(cell["rows"] for cell in cells)
    scale = WIDTH / (end - start) if end > start else 0.0
    return [
        Bar(
            x=round((cell["from"] - start) * scale, 2),
            y=round(HEIGHT - _tall(cell["rows"], most), 2),
            width=round(max((cell["to"] - cell["from"]) * scale - 1, 1.0), 2),
            height=round(_tall(cell["rows"], most), 2),
            title=f"{cell['from']:.4g} to {cell['to']:.4g}: {cell['rows']:,} rows",
        )
        for cell in cells
    ]


def _tall(rows: int, most: int) -> float:
    """How tall a bar is; one that is there can be seen."""
    return max(HEIGHT * rows / most, 1.0)


def _periods(found: Exploration) -> list[dict[str, Any]]:
    most = max((period["rows"] for period in found.periods), default=1)
    return [{**period, "width": period["rows"] / most} for period in found.periods]
