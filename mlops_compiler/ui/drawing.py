"""Charts of the dashboard as SVG, drawn as the report draws its own; the same numbers are drawn once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlops_compiler.report.page import Figure
from mlops_compiler.report.svg import inline_svg

if TYPE_CHECKING:
    from markupsafe import Markup

_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class _Spec:
    """A chart that is known by what it draws."""

    text: str
    chart: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Spec) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def figure(chart: Any, title: str, caption: str, *, broad: bool = True, told: bool = True) -> Figure | None:
    """Give a chart its title and its caption; None where there is nothing to draw."""
    if chart is None:
        return None
    spec = _Spec(json.dumps(chart.to_dict(), sort_keys=True), chart)
    return Figure(title=title, caption=caption, svg=_drawn(spec, f"{title}. {caption}", told), broad=broad)


@lru_cache(maxsize=_REMEMBERED)
def _drawn(spec: _Spec, alt_text: str, told: bool) -> Markup:  # noqa: FBT001 - the key of a cache
    return inline_svg(spec.chart, alt_text, told=told)
