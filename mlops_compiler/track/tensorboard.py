"""TensorBoard: a folder of event files for each trial, which ``tensorboard --logdir`` shows with its HParams tab.

A folder is named by the trial's fingerprint and appears whole: a trial that several runs share is there once, and one
that was killed half-way leaves nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mlops_compiler.section import Section
from mlops_compiler.track.tracker import Log, Tracker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_compiler.track.tracker import EndFacts, RunFacts, TrialFacts

_SERIES = ("training", "validation")


class TensorBoardSettings(Section):
    """Event files for TensorBoard."""

    path: Annotated[str, Field(min_length=1)] = "tensorboard"
    """The folder, relative to the working directory; for ``tensorboard --logdir``."""


class TensorBoardLog(Log):
    """Writes a folder for each trial."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def trial(self, trial: TrialFacts) -> None:
        """Write a trial, where it is not there already."""
        place = self._folder / f"{trial.model}-{trial.fingerprint[:12]}"
        if place.exists():
            return
        draft = place.with_name(f".{place.name}")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            _write(draft, trial)
            draft.replace(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def end(self, outcome: EndFacts) -> None:
        """Nothing is left to write: a trial is whole when it ends."""


class TensorBoard(Tracker):
    """Event files for TensorBoard."""

    name = "tensorboard"
    settings = TensorBoardSettings

    def begin(self, settings: Any, run: RunFacts, environ: Mapping[str, str]) -> Log:  # noqa: ARG002 - it has no secrets
        """Make the recipe's folder."""
        return TensorBoardLog(Path(settings.path) / run.recipe)


def _write(folder: Path, trial: TrialFacts) -> None:
    import tensorboardX
    from tensorboardX.summary import hparams

    writer = tensorboardX.SummaryWriter(str(folder))
    try:
        scores = {} if trial.score is None else {trial.metric: trial.score}
        # Without the first summary, of the whole experiment: TensorBoard then collects what all trials have, not one.
        for summary in hparams({"model": trial.model, **trial.parameters}, scores)[1:]:
            writer.file_writer.add_summary(summary)
        for tag, value in scores.items():
            writer.add_scalar(tag, value, 0)
        for tag, value, step in _scalars(trial):
            writer.add_scalar(tag, value, step)
    finally:
        writer.close()


def _scalars(trial: TrialFacts) -> Iterator[tuple[str, float, int]]:
    """Give every metric fold by fold, and the losses of each fit step by step."""
    for record in trial.folds:
        for name, value in record.metrics.items():
            where, _, metric = name.rpartition(".")
            yield (f"{where or 'fold'}/{metric}", value, record.fold)
        history = record.history or {}
        for series in _SERIES:
            for step, value in zip(history.get("steps", ()), history.get(series, ()), strict=False):
                if value is not None:
                    yield f"{history['unit']}s_fold_{record.fold}/{series}_loss", value, step
