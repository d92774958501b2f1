"""Pages are templates that escape all that they are given; what did not change since a browser saw it is not sent."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlops_compiler.report import numbers
from mlops_compiler.report.metric_names import title
from mlops_compiler.report.palette import PALETTE
from mlops_compiler.ui.overview import TONES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment
    from starlette.requests import Request
    from starlette.responses import Response

SEEN = "x-seen"
"""The header by which a page says what it shows."""
SECONDS = 3
"""Between two looks of an open page."""
_NUMBERS = ("amount", "asked", "bounds", "chance", "count", "digest", "moment", "number", "percent", "score", "seconds")
_SPARK = (132, 34)
_FLAT = 0.02
"""A change by less than this share of the value looks as small as it is."""


@cache
def environment() -> Environment:
    """Give the templates: the dashboard's own, and the report's where they draw the same things."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader("mlops_compiler.ui"), PackageLoader("mlops_compiler.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(numbers, name) for name in _NUMBERS})
    environment.filters.update(
        iso=_iso, part=_part, coded=_coded, spark=spark, title_of=title, milliseconds=_milliseconds
    )
    environment.globals.update(tones=TONES)
    return environment


def answer(request: Request, template: str, *, name: str, status: int = 200, **values: Any) -> Response:
    """Answer with a page; with its content alone where an open page asks, and with nothing where that shows it.

    Args:
        request: What was asked.
        template: Of the content.
        name: What the page is called.
        status: Of the answer.
        **values: What the template shows.
    """
    from starlette.responses import HTMLResponse
    from starlette.responses import Response as Plain

    content = environment().get_template(template).render(request=request, name=name, **values)
    seal = hashlib.sha256(content.encode()).hexdigest()[:16]
    if request.headers.get(SEEN) == seal:
        return Plain(status_code=204)
    told = f'<div id="content" data-seal="{seal}">{content}</div>'
    if request.headers.get("x-live") == "true":
        return HTMLResponse(told, status)
    query = f"?{request.url.query}" if request.url.query else ""
    page = environment().get_template("page.html.j2")
    where = {"name": name, "address": f"{request.url.path}{query}", "seconds": SECONDS}
    return HTMLResponse(page.render(content=_safe(told), **where, **values), status)


@cache
def style() -> str:
    """Write the style sheet, in the report's colours."""
    return environment().get_template("ui.css.j2").render(palette=PALETTE)


def spark(values: Sequence[float]) -> str:
    """Draw a few values as the path of a line, in a box of 132 by 34; the last one ends it."""
    width, height = _SPARK
    low, high = min(values), max(values)
    span = max(high - low, _FLAT * max(abs(low), abs(high))) or 1.0
    low = (low + high - span) / 2
    step = (width - 12) / max(len(values) - 1, 1)
    points = (
        f"{6 + at * step:.1f},{height - 6 - (value - low) / span * (height - 12):.1f}"
        for at, value in enumerate(values)
    )
    return "M" + "L".join(points)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _part(text: str) -> str:
    """Write a text as a part of a path."""
    return quote(str(text), safe="")


def _coded(text: Any) -> Any:
    """Set what stands between backticks as code."""
    from markupsafe import Markup, escape

    pieces = str(text).split("`")
    if len(pieces) % 2 == 0:
        return text
    made = (f"<code>{escape(piece)}</code>" if at % 2 else str(escape(piece)) for at, piece in enumerate(pieces))
    return Markup("".join(made))  # noqa: S704 - every piece was escaped


def _milliseconds(seconds: Any) -> str:
    if not numbers.is_number(seconds):
        return numbers.DASH
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else numbers.seconds(seconds)


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - made by the templates above, which escape
