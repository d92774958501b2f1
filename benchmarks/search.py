"""The search beside scikit-learn's own and beside plain Ray Tune scripts: the same 30 trials, folds, rows and cores.

Each contender runs in a process of its own, in turn, several times; only the search is measured, once its engine is
up. Prints the medians, and each contender's ratio to scikit-learn.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.meter import Meter, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.backends.stages.folds import Fold
    from mlops_compiler.store.records import StageRecord

ROWS, SEED = 5_000, 7
GRID: dict[str, list[Any]] = {
    "learning_rate": [0.03, 0.06, 0.1, 0.15, 0.25],
    "max_leaf_nodes": [8, 31, 96],
    "min_samples_leaf": [5, 40],
}
FIXED = {"max_iter": 100, "l2_regularization": 1e-6, "early_stopping": False}
RECIPE = """
name: benchmark
objective: {{task: binary_classification, target: churn, positive: 1}}
data: {{source: {{kind: parquet, path: rows.parquet}}}}
validate: {{folds: {{kind: stratified, k: 3}}, seed: {seed}}}
models:
  boosting: {{kind: hist_gradient_boosting, {fixed}, {grid}}}
search: {{algorithm: grid, scheduler: none, trials: 30, max_concurrent: 2}}
"""


@contextlib.contextmanager
def prepared() -> Iterator[Any]:
    """Make the rows and the recipe in a temporary folder, and run it up to the search.

    The stages run in a process of their own, as they do in a run: the process that starts the engine holds no rows.

    Yields:
        The search stage's task, and the records that it reads.
    """
    import polars as pl

    from mlops_compiler.backends.local.run import run_in_process
    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.driver import plan_recipe
    from mlops_compiler.frontend.hydra_app import launch

    source = Path(__file__).parent.parent / "recipes" / "data" / "telco_churn.csv"
    frame = pl.read_csv(source).head(ROWS + ROWS // 4)
    columns = frame.drop("customer_id", "churn").to_dummies(pl.selectors.string()).fill_null(0)
    columns = columns.rename({name: f"f{index}" for index, name in enumerate(columns.columns)})
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder, contextlib.chdir(folder):
        columns.with_columns((frame["churn"] == "Yes").cast(pl.Int64)).write_parquet("rows.parquet")
        grid = ", ".join(f"{name}: {{choice: {values}}}" for name, values in GRID.items())
        fixed = ", ".join(f"{name}: {str(value).lower()}" for name, value in FIXED.items())
        Path("benchmark.yaml").write_text(RECIPE.format(seed=SEED, fixed=fixed, grid=grid))
        (planned,) = launch(["recipe=benchmark.yaml"], plan_recipe)
        tasks = {
            stage.name: StageTask(
                stage=stage, recipe="benchmark", root=folder, store=planned.location, run_id="benchmark", facts={}
            )
            for stage in planned.plan.to_run
        }
        before = [tasks[name] for name in ("snapshot", "split", "prepare")]
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            records = apart.submit(run_in_process, before, {}).result()
        yield tasks["search"], records


def folds_of(task: StageTask, records: dict[str, StageRecord]) -> list[Fold]:
    """Read the folds that the search stage would read."""
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.folds import make_folds
    from mlops_compiler.store.writer import open_writer

    context = Context(task=task, store=open_writer(task.store), inputs=records)
    return make_folds(context, task.stage.nodes[0].op.candidates)


def with_sklearn() -> dict[str, Any]:
    """scikit-learn's RandomizedSearchCV with two processes."""
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import RandomizedSearchCV

    with prepared() as (task, records):
        folds = folds_of(task, records)
        X, y, splits = _stacked(folds)
        model = HistGradientBoostingClassifier(random_state=SEED, **FIXED)
        search = RandomizedSearchCV(
            model, GRID, n_iter=30, scoring="roc_auc", cv=splits, n_jobs=2, refit=False, random_state=SEED
        )
        with Meter() as meter:
            search.fit(X, y)
    scores = np.array([search.cv_results_[f"split{index}_test_score"] for index in range(len(folds))])
    return {
        **meter.facts(),
        "best": dict(sorted(search.best_params_.items())),
        "score": float(scores.mean(axis=0).max()),
    }


def _stacked(folds: list[Fold]) -> Any:
    """The same rows once, and the folds as indices of them."""
    import numpy as np

    X = np.concatenate([fold.X_held for fold in folds])
    y = np.concatenate([fold.y_held for fold in folds])
    ends = np.cumsum([0, *(len(fold.y_held) for fold in folds)])
    rows = np.arange(len(y))
    held = [rows[start:end] for start, end in itertools.pairwise(ends)]
    return X, y, [(np.setdiff1d(rows, part), part) for part in held]


@contextlib.contextmanager
def engine(actors: int = 0) -> Iterator[None]:
    """Start the engine as a run does, and wait until its workers are up."""
    from mlops_compiler.backends.ray.prestart import prestart
    from mlops_compiler.recipe.resources import Cluster
    from mlops_compiler.runtime.engine import ray_session

    with ray_session(Cluster(cpus=2)):
        if actors:
            prestart(actors)
        settle()
        yield


def with_compiler() -> dict[str, Any]:
    """This project's search on Ray Tune."""
    import ray

    from mlops_compiler.backends.ray.prestart import search_runtime_env
    from mlops_compiler.backends.ray.remote import search_remotely
    from mlops_compiler.store.writer import open_writer

    with prepared() as (task, records), engine(actors=2):
        search = ray.remote(search_remotely).options(num_cpus=0, runtime_env=search_runtime_env())
        with Meter() as meter:
            record = ray.get(search.remote(task, records, []))
        board = json.loads(open_writer(task.store).objects.get(record.outputs["leaderboard"]))
    best = board["trials"][0]
    return {**meter.facts(), "best": {name: best["parameters"][name] for name in sorted(GRID)}, "score": best["mean"]}


def with_plain_tune(*, reuse: bool) -> dict[str, Any]:
    """A Ray Tune script as its documentation writes it: a function, or a class with reused actors."""
    with prepared() as (task, records), engine():
        from ray import tune

        X, y, splits = _stacked(folds_of(task, records))
        space = {name: tune.grid_search(values) for name, values in GRID.items()}
        trainable = tune.with_parameters(_class() if reuse else _function, X=X, y=y, splits=splits)
        with Meter() as meter, tempfile.TemporaryDirectory() as folder:
            tuner = tune.Tuner(
                tune.with_resources(trainable, {"cpu": 1}),
                param_space=space,
                tune_config=tune.TuneConfig(metric="score", mode="max", reuse_actors=reuse),
                run_config=tune.RunConfig(storage_path=folder, verbose=0),
            )
            results = tuner.fit()
        if results.errors:  # a contender that fails its trials is none
            raise results.errors[0]
        best = results.get_best_result()
    return {**meter.facts(), "best": {name: best.config[name] for name in sorted(GRID)}, "score": best.metrics["score"]}


def _function(config: dict[str, Any], X: Any, y: Any, splits: Any) -> None:
    from ray import tune

    scores = [_score(config, X, y, *split) for split in splits]
    tune.report({"score": sum(scores) / len(scores)})


def _class() -> type:
    from ray import tune

    class Search(tune.Trainable):  # type: ignore[misc]
        def setup(self, config: dict[str, Any], X: Any, y: Any, splits: Any) -> None:
            self.data, self.point = (X, y, splits), config

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.point = new_config
            return True

        def step(self) -> dict[str, Any]:
            X, y, splits = self.data
            scores = [_score(self.point, X, y, *split) for split in splits]
            return {"score": sum(scores) / len(scores), "done": True}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            """Tune saves each trial at its end, and reuses no actor that cannot."""

        def load_checkpoint(self, checkpoint: Any) -> None:
            """There is nothing to go on from."""

    return Search


def _score(config: dict[str, Any], X: Any, y: Any, training: Any, held: Any) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    model = HistGradientBoostingClassifier(random_state=SEED, **FIXED, **config).fit(X[training], y[training])
    return float(roc_auc_score(y[held], model.predict_proba(X[held])[:, 1]))


CONTENDERS: dict[str, Callable[[], dict[str, Any]]] = {
    "RandomizedSearchCV(n_jobs=2)": with_sklearn,
    "mlops-compile": with_compiler,
    "plain Ray Tune, function": lambda: with_plain_tune(reuse=False),
    "plain Ray Tune, reused actors": lambda: with_plain_tune(reuse=True),
}


def main(rounds: int = 3) -> None:
    """Run all contenders in turn and print medians and ratios."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name in CONTENDERS:
            runs[name].append(_apart(name))
    print(f"search: 30 trials x 3 folds of histogram boosting, {rounds} rounds, medians; ratios to the first line")
    first = _medians(runs["RandomizedSearchCV(n_jobs=2)"])
    for name, found in runs.items():
        mine = _medians(found)
        shown = "  ".join(f"{key} {mine[key]:7.1f} ({mine[key] / first[key]:4.2f}x)" for key in ("cpu", "wall", "peak"))
        print(f"  {name:<30} {shown}  best {found[0]['best']} {found[0]['score']:.6f}")


def _medians(found: list[dict[str, Any]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in found) for key in ("cpu", "wall", "peak")}


def _apart(name: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.search", name], capture_output=True, check=False, env=environment
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr.decode()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(CONTENDERS[sys.argv[1]]()))
    else:
        main()
