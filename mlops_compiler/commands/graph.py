"""`graph` draws a lifecycle, or the way of its columns: in the terminal, as SVG, as text for Mermaid."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.analysis.lineage import lineage
from mlops_compiler.commands.base import DONE, write_file
from mlops_compiler.console.graph_view import print_lifecycle, print_lineage
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError
from mlops_compiler.driver import plan_recipe
from mlops_compiler.plan.lifecycle import parts

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.driver import Planned
    from mlops_compiler.frontend.composed import Composed

_SUFFIXES = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json"}


def graph(composed: Composed, invocation: Invocation) -> int:
    """Draw a recipe's lifecycle, coloured by what a run would do; with ``--columns`` the way of each column.

    Raises:
        UsageError: The kind of drawing is not clear, or the file cannot be written.
    """
    kind = _kind(invocation)
    planned = plan_recipe(composed)
    columns = "--columns" in invocation.flags
    if kind == "json" and "--out" not in invocation.options:
        invocation.print_json(_data(planned, columns=columns))
    elif kind == "terminal":
        _print(planned, columns=columns)
    else:
        text = _drawn(planned, kind, columns=columns)
        if (out := invocation.options.get("--out")) is not None:
            write_file(Path(out), text)
        else:
            sys.stdout.write(text)
    return DONE


def _kind(invocation: Invocation) -> str:
    flags = [flag.removeprefix("--") for flag in ("--svg", "--mermaid") if flag in invocation.flags]
    flags += ["json"] if invocation.as_json else []
    out = invocation.options.get("--out")
    if out is not None:
        if invocation.sweeps:
            raise UsageError([_bad("--out writes one drawing, and a sweep makes several", "draw each job by itself")])
        flags += [_SUFFIXES[suffix]] if (suffix := Path(out).suffix.lower()) in _SUFFIXES else []
    kinds = set(flags)
    if len(kinds) > 1:
        raise UsageError([_bad(f"{' and '.join(sorted(kinds))} do not go together", "ask for one of them")])
    if out is not None and not kinds:
        raise UsageError([_no_kind(out)])
    return next(iter(kinds), "terminal")


def _bad(headline: str, help_: str) -> Diagnostic:
    return Diagnostic(code="bad-flag", headline=headline, help=help_)


def _no_kind(out: str) -> Diagnostic:
    return Diagnostic(
        code="bad-flag",
        headline=f"`{out}` does not say what to draw",
        span=Span.of_token(out),
        help="end its name in .svg, .mmd (Mermaid) or .json, or add --svg or --mermaid",
    )


def _print(planned: Planned, *, columns: bool) -> None:
    name = planned.compiled.recipe.name
    if columns:
        print_lineage(name, lineage(planned.compiled.program), results())
    else:
        print_lifecycle(name, parts(planned.plan, planned.compiled.recipe), results())


def _drawn(planned: Planned, kind: str, *, columns: bool) -> str:
    import json

    from mlops_compiler.report.graph import lifecycle_svg, lineage_svg
    from mlops_compiler.report.mermaid import lifecycle_chart, lineage_chart

    name = planned.compiled.recipe.name
    if kind == "json":
        return json.dumps(_data(planned, columns=columns), indent=2) + "\n"
    if columns:
        found = lineage(planned.compiled.program)
        return lineage_svg(name, found) if kind == "svg" else lineage_chart(found)
    shown = parts(planned.plan, planned.compiled.recipe)
    return lifecycle_svg(name, shown) if kind == "svg" else lifecycle_chart(shown)


def _data(planned: Planned, *, columns: bool) -> dict[str, Any]:
    name = planned.compiled.recipe.name
    if not columns:
        return {"recipe": name, "parts": list(parts(planned.plan, planned.compiled.recipe))}
    found = lineage(planned.compiled.program)
    return {
        "recipe": name,
        "steps": [{"step": step, "op": op} for step, op in found.steps],
        "columns": [asdict(trail) for trail in found.trails],
    }
