"""The moving picture of a run: its stages, and under the search its trials and the best so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mlops_compiler.console.text import ACCENT, BAD, CROSS, DIM, GOOD, STRONG, TICK, WARN, clean, styled
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from mlops_compiler.console.progress_state import ProgressState, SearchState, StageState, TrialState

_SPINNER = Spinner("dots", style=ACCENT)
_MOST_RUNNING = 6
_MOST_DOTS = 12
_NARROW, _BAR = 22, 34
_WIDE = 100


def picture(state: ProgressState, *, now: float, width: int, ended: bool = False) -> RenderableType:
    """Draw where a run stands.

    Args:
        state: Where it stands.
        now: The time, for what is still running.
        width: Columns of the terminal.
        ended: Whether the run is over; what still seems to run was stopped.
    """
    parts: list[RenderableType] = []
    for stage in state.stages.values():
        parts.append(_stage(stage, now=now, ended=ended))
        if stage.name == "search" and state.search is not None and stage.status == "running":
            parts.append(Padding(_search(state.search, now=now, width=width), (0, 0, 0, 4)))
    return Group(*parts)


def _stage(stage: StageState, *, now: float, ended: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column(width=10)
    table.add_column(width=11, justify="right")
    table.add_column(overflow="fold")
    mark, style = _mark(stage.status, ended=ended)
    seconds = now - stage.started if stage.status == "running" else stage.seconds
    took = Text(numbers.seconds(seconds) if seconds is not None else "", style=DIM)
    detail = stage.detail or {"reused": "reused"}.get(stage.status, "")
    detail = "stopped" if stage.status == "running" and ended else detail
    table.add_row(mark, styled(stage.name, style), took, styled(detail, BAD if stage.status == "failed" else DIM))
    return table


def _mark(status: str, *, ended: bool) -> tuple[RenderableType, str]:
    marks: dict[str, tuple[RenderableType, str]] = {
        "done": (Text(TICK, style=GOOD), ""),
        "reused": (Text("=", style=DIM), DIM),
        "failed": (Text(CROSS, style=BAD), BAD),
        "running": (Text("!", style=WARN), WARN) if ended else (_SPINNER, STRONG),
    }
    return marks.get(status, (Text("·", style=DIM), DIM))


def _search(search: SearchState, *, now: float, width: int) -> Group:
    total = max(search.trials, 1)
    bar = Table.grid(padding=(0, 2, 0, 0))
    bar.add_row(
        ProgressBar(
            total=total,
            completed=search.done,
            width=_BAR if width >= _WIDE else _NARROW,
            complete_style=ACCENT,
            finished_style=GOOD,
        ),
        Text.assemble((f"{search.done}/{search.trials}", STRONG), f" trials{_ends(search)}"),
    )
    told = clean(", ".join(_facts(search, now)))
    return Group(bar, *([Text(told, style=DIM)] if told else []), _trials(search))


def _facts(search: SearchState, now: float) -> Iterator[str]:
    """Say how many fits were made, how much of the GPUs is in use, and how long it takes at most."""
    if search.fits:
        yield f"{search.fits:,} fits" if search.fits > 1 else "1 fit"
    if search.gpu is not None:
        yield f"{search.held:g} of {search.gpu.of:g} GPUs held"
        if search.gpu.busy is not None:
            yield f"{search.gpu.busy:.0%} busy"
        if search.gpu.memory is not None:
            yield f"{search.gpu.memory:.1f} of {search.gpu.of_memory:.0f} GiB a trial"
    if (left := search.left(now)) is not None:
        yield f"at most {numbers.seconds(left)} left"


def _ends(search: SearchState) -> str:
    known = max(search.cached, search.cached_seen)
    counts = [
        (known, "known"),
        (search.ends.get("stopped", 0), "stopped"),
        (search.ends.get("failed", 0), "failed"),
        (search.lost, "tried again"),
    ]
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f" ({said})" if said else ""


def _trials(search: SearchState) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    if search.best is not None:
        table.add_row(
            Text("best so far", style=GOOD),
            styled(search.best.model, STRONG),
            "",
            Text.assemble((numbers.score(search.best.score), f"bold {GOOD}"), (f" {clean(search.metric)}", DIM)),
        )
    for trial in list(search.running.values())[:_MOST_RUNNING]:
        table.add_row(
            Text(f"trial {trial.trial}", style=DIM),
            styled(trial.model),
            _dots(trial, search.folds),
            Text(numbers.score(trial.mean) if trial.mean is not None else "", style=DIM),
        )
    if len(search.running) > _MOST_RUNNING:
        table.add_row(Text(f"and {len(search.running) - _MOST_RUNNING} more", style=DIM))
    return table


def _dots(trial: TrialState, folds: int) -> Text:
    """Draw a dot a fold, full where it is done; many folds become a count."""
    done = len(trial.scores)
    if folds > _MOST_DOTS:
        return Text(f"{done}/{folds} folds")
    return Text.assemble(("●" * done, ACCENT), ("○" * max(0, folds - done), DIM))
