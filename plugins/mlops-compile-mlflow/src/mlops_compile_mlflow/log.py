"""A run of MLflow with a nested run for each trial, written through MLflow's client."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.records import TRAINING
from mlops_compiler.track.tracker import Log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_compiler.track.tracker import EndFacts, RunFacts, TrialFacts

_QUIET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
}
"""Defaults that hold a run up for no longer than needed, and tell nobody else."""
_KNOWN = 1000
"""The most trials of earlier runs that are looked for at once, of those that are asked for by page."""
_STATUS = {"complete": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
_ENDS = {"succeeded": "FINISHED", "rejected": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_MOST_TEXT = 6000
"""Letters of a parameter that MLflow takes."""


class MlflowLog(Log):
    """The notes on one run.

    Args:
        uri: Where MLflow keeps them.
        experiment: The experiment's name; made where there is none.
        run: The run.
    """

    def __init__(self, uri: str, experiment: str, run: RunFacts) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self._client: Any = MlflowClient(tracking_uri=uri)
        found = self._client.get_experiment_by_name(experiment)
        self._experiment = found.experiment_id if found else self._client.create_experiment(experiment)
        self._known = set(self._noted(run.recipe))
        self._run = run
        made = self._client.create_run(
            self._experiment, start_time=int(run.started * 1000), tags=_run_tags(run), run_name=run.run_id
        )
        self._parent: str = made.info.run_id

    def _noted(self, recipe: str) -> Iterator[str]:
        """Find the trials that earlier runs of the recipe noted."""
        token, wanted = None, f"tags.`mlops.recipe` = '{recipe}' AND tags.`mlops.part` = 'trial'"
        while True:
            found = self._client.search_runs([self._experiment], wanted, max_results=_KNOWN, page_token=token)
            yield from (run.data.tags["mlops.fingerprint"] for run in found)
            if not (token := found.token):
                return

    def trial(self, trial: TrialFacts) -> None:
        """Make a nested run of a trial, where none is there."""
        from mlflow.entities import Metric

        if trial.fingerprint in self._known:
            return
        self._known.add(trial.fingerprint)
        tags = {**_trial_tags(self._run, trial), "mlflow.parentRunId": self._parent}
        name = f"{trial.model} {trial.trial}"
        made = self._client.create_run(self._experiment, tags=tags, run_name=name).info.run_id
        now = int(time.time() * 1000)
        metrics = [Metric(tag, value, now, step) for tag, value, step in _metrics(trial)]
        for start in range(0, len(metrics), _KNOWN):
            self._client.log_batch(made, metrics=metrics[start : start + _KNOWN])
        self._client.log_batch(made, params=_params({"kind": trial.kind, **trial.parameters}))
        self._client.set_terminated(made, _STATUS.get(trial.status, "FINISHED"))

    def end(self, outcome: EndFacts) -> None:
        """Write what came of the run, and end it."""
        from mlflow.entities import Metric, RunTag

        now = int(time.time() * 1000)
        metrics = [Metric(f"holdout/{name}", value, now, 0) for name, value in outcome.metrics.items()]
        told = {"mlops.status": outcome.status, "mlops.release": outcome.release, "mlops.data": outcome.data}
        tags = [RunTag(name, str(value)) for name, value in told.items() if value is not None]
        chosen = {name: outcome.chosen[name] for name in ("model", "kind") if outcome.chosen.get(name)}
        params = _params({**chosen, **(outcome.chosen.get("parameters") or {})})
        self._client.log_batch(self._parent, metrics=metrics, params=params, tags=tags)
        for name, text in outcome.pages.items():
            self._client.log_text(self._parent, text, name)
        self._client.set_terminated(self._parent, _ENDS.get(outcome.status, "FINISHED"))


def _run_tags(run: RunFacts) -> dict[str, str]:
    told = {
        "mlops.recipe": run.recipe,
        "mlops.part": "run",
        "mlops.run": run.run_id,
        "mlops.overrides": " ".join(run.overrides),
        "mlflow.source.name": "mlops-compile",
        "mlflow.source.git.commit": run.commit,
        "mlflow.note.content": run.description,
        **{f"mlops.fingerprint.{stage}": seal for stage, seal in run.fingerprints.items()},
    }
    return {name: str(value) for name, value in told.items() if value}


def _trial_tags(run: RunFacts, trial: TrialFacts) -> dict[str, str]:
    told = {
        "mlops.recipe": run.recipe,
        "mlops.part": "trial",
        "mlops.run": run.run_id,
        "mlops.fingerprint": trial.fingerprint,
        "mlops.trial": str(trial.trial),
        "mlops.model": trial.model,
        "mlops.status": trial.status,
        "mlflow.source.git.commit": run.commit or "",
    }
    return {name: value for name, value in told.items() if value}


def _metrics(trial: TrialFacts) -> Iterator[tuple[str, float, int]]:
    """Give the mean, every metric fold by fold, and the losses of each fit step by step."""
    if trial.score is not None:
        yield trial.metric, trial.score, 0
    for record in trial.folds:
        for name, value in record.metrics.items():
            where = "training" if name.startswith(TRAINING) else "fold"
            yield f"{where}/{name.removeprefix(TRAINING)}", value, record.fold
        history = record.history or {}
        for series in ("training", "validation"):
            for step, value in zip(history.get("steps", ()), history.get(series, ()), strict=False):
                if value is not None:
                    yield f"fold {record.fold}/{series} loss", value, step


def _params(values: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(name, str(value)[:_MOST_TEXT]) for name, value in values.items()]
