"""The benchmark of quality: how sets are described and split, how systems are measured, and what the numbers say."""

from __future__ import annotations

import math
import textwrap

import numpy as np
import polars as pl
import pytest

from benchmarks.environments import NotInstalled, python_of
from benchmarks.quality import measure as measuring
from benchmarks.quality.measure import Terms, measure
from benchmarks.quality.scoring import WrongPredictionsError, score
from benchmarks.quality.sets import HOLDOUT, SetError, find_sets, read_rows, split
from benchmarks.quality.summary import Mean, by_system, differences, ranks, ratios
from benchmarks.quality.systems import ADAPTERS, SYSTEMS, System

SAID = {
    "source": "rows.csv",
    "task": "binary_classification",
    "target": "y",
    "metric": "roc_auc",
    "second": "log_loss",
}


@pytest.fixture
def folder(tmp_path):
    rows = [
        "a,b,y",
        *(f"{number},{'x' if number % 3 else 'NA'},{'yes' if number % 4 == 0 else 'no'}" for number in range(40)),
    ]
    (tmp_path / "rows.csv").write_text("\n".join([*rows, "1,x,NA"]) + "\n")
    return tmp_path


def described(folder, **changes):
    said = {name: value for name, value in {**SAID, **changes}.items() if value is not None}
    (folder / "made.yaml").write_text("".join(f"{name}: {value}\n" for name, value in said.items()))
    return find_sets(folder)["made"]


def test_the_shipped_sets_can_be_read():
    for item in find_sets().values():
        table = read_rows(item)
        assert item.target in table.columns
        assert 300 < table.height <= 8000
        assert not table[item.target].null_count()


def test_a_set_says_which_rows_and_columns(folder):
    item = described(folder, where="a >= 8", derive="{twice: a * 2}", drop="[a]", rows=20)
    table = read_rows(item)
    assert (table.height, table.columns) == (20, ["b", "y", "twice"])
    assert table["twice"].min() >= 16
    assert table["b"].null_count()
    assert read_rows(item).equals(table)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metric": None}, "metric: missing"),
        ({"metrics": "f1"}, "metrics: not known"),
        ({"task": "ranking"}, "task is one of"),
        ({"metric": "rmse"}, "metric 'rmse' does not score a binary_classification"),
    ],
    ids=["missing", "unknown", "task", "metric of another task"],
)
def test_a_wrong_description_is_refused(folder, changes, says):
    with pytest.raises(SetError, match=says):
        described(folder, **changes)


def test_a_folder_without_sets_is_refused(tmp_path):
    with pytest.raises(SetError, match="holds no"):
        find_sets(tmp_path)


def test_a_seed_splits_once_and_for_all(folder):
    item = described(folder)
    table = read_rows(item)
    first, again, other = (split(table, item, seed) for seed in (1, 1, 2))
    assert first.train.equals(again.train)
    assert first.test.equals(again.test)
    assert not first.test.equals(other.test)
    assert (first.truth.len(), first.train.height) == (40 * HOLDOUT, 40 * (1 - HOLDOUT))
    assert (first.truth == "yes").sum() in (2, 3)  # a quarter of ten
    assert "y" not in first.test.columns
    assert sorted([*first.train["a"], *first.test["a"]]) == list(range(40))


def test_values_are_held_out_from_every_tenth(folder):
    item = described(folder, task="regression", target="a", metric="rmse", second="mae")
    held = split(read_rows(item), item, 3).truth
    assert all(1 <= held.is_between(4 * tenth, 4 * tenth + 3).sum() <= 2 for tenth in range(10))


def test_scores_are_those_of_the_definitions():
    truth = pl.Series(["a", "b", "b", "a"])
    answers = pl.DataFrame({"b": [0.1, 0.8, 0.4, 0.6], "a": [0.9, 0.2, 0.6, 0.4]})
    assert score(answers, truth, "binary_classification", "roc_auc") == 0.75
    expected = -np.log([0.9, 0.8, 0.4, 0.4]).mean()
    assert score(answers, truth, "binary_classification", "log_loss") == pytest.approx(expected)
    assert score(answers, truth, "multiclass_classification", "balanced_accuracy") == 0.5
    values = pl.DataFrame({"value": [1.0, 2.0, 5.0, 4.0]})
    assert score(values, pl.Series([1, 2, 3, 4]), "regression", "rmse") == 1.0
    assert score(values, pl.Series([1, 2, 3, 4]), "regression", "mae") == 0.5


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"a": [0.5], "b": [0.5]}, "1 answers to 2 rows"),
        ({"a": [0.5, 0.5]}, "no probability of b"),
        ({"a": [0.5, math.nan], "b": [0.5, 0.5]}, "no number"),
    ],
    ids=["rows", "classes", "nan"],
)
def test_answers_that_cannot_be_scored_are_refused(answers, says):
    with pytest.raises(WrongPredictionsError, match=says):
        score(pl.DataFrame(answers), pl.Series(["a", "b"]), "binary_classification", "roc_auc")


def row(system, score, *, of="s", seed=1, cpu=1.0):
    found = {"set": of, "system": system, "seed": seed, "wall": 1.0, "cpu": cpu, "peak": 1.0, "second": 0.0}
    return found | ({"error": "it broke"} if score is None else {"score": score})


def test_means_have_standard_errors():
    assert Mean.of([1.0, 3.0]) == Mean(2.0, 1.0, 2)
    assert math.isnan(Mean.of([1.0]).error)
    found = by_system([row("a", 1.0), row("a", 3.0, seed=2), row("b", None)], "s")
    assert found["a"]["score"] == Mean(2.0, 1.0, 2)
    assert "b" not in found


def test_differences_are_of_pairs():
    rows = [row("a", 0.8), row("a", 0.6, seed=2), row("b", 0.7), row("b", 0.5, seed=2), row("b", 0.9, seed=3)]
    better = differences(rows, "s", "a", "b", greater_is_better=True)
    assert (better.mean, better.error, better.count) == (pytest.approx(0.1), pytest.approx(0.0, abs=1e-9), 2)
    assert differences(rows, "s", "a", "b", greater_is_better=False).mean == pytest.approx(-0.1)


def test_ratios_are_geometric_means():
    rows = [
        row("a", 1.0, cpu=2.0),
        row("b", 1.0, cpu=1.0),
        row("a", 1.0, seed=2, cpu=1.0),
        row("b", 1.0, seed=2, cpu=8.0),
    ]
    assert ratios(rows, "a", "b", "cpu").mean == pytest.approx(0.5)
    assert ratios(rows, "a", "nobody", "cpu").count == 0


def test_ranks_share_ties_and_put_failures_last():
    rows = [row("a", 0.9), row("b", 0.9), row("c", None), row("d", 0.1)]
    rows += [row(name, value, of="t") for name, value in zip("abcd", (0.1, 0.2, 0.3, 0.4), strict=True)]
    rows.append({"set": "s", "system": "e", "seed": 1, "installed": False, "error": "no"})
    found = ranks(rows, {"s": True, "t": False})
    assert {name: mean.mean for name, mean in found.items()} == {"a": 1.25, "b": 1.75, "c": 3.5, "d": 3.5}
    assert found["a"].error == pytest.approx(0.25)


def ran(folder, script):
    (folder / "script.py").write_text(textwrap.dedent(script))
    item = described(folder)
    system = System(name="made", script=str(folder / "script.py"))
    return measure(system, item, split(read_rows(item), item, 1), 1, Terms(budget=1, cores=1))


def test_a_system_is_measured(folder):
    found = ran(
        folder,
        """
        import json, pathlib, sys, time
        job = json.loads(pathlib.Path(sys.argv[1]).read_text())
        assert (job["target"], job["task"], job["budget"], job["cores"]) == ("y", "binary_classification", 1, 1)
        start = time.process_time()
        while time.process_time() - start < 0.3:
            pass
        pathlib.Path(job["out"]).write_text("no,yes\\n" + "0.75,0.25\\n" * 10)
        pathlib.Path(job["folder"], "told.json").write_text('{"trials": 3}')
        """,
    )
    assert (found["score"], found["told"]) == (0.5, {"trials": 3})
    assert found["cpu"] >= 0.3
    assert found["wall"] > 0
    assert "error" not in found


def test_a_system_that_fails_says_why(folder):
    found = ran(folder, "raise SystemExit('out of luck')")
    assert found["error"] == "out of luck"
    assert "score" not in found


def test_a_system_that_answers_nothing_has_no_score(folder):
    assert "answers.csv" in ran(folder, "pass")["error"]


def test_a_system_that_takes_too_long_is_ended(folder, monkeypatch):
    waited = measuring._wait
    monkeypatch.setattr(measuring, "_wait", lambda process, patience: waited(process, 0.01 * bool(patience)))
    assert ran(folder, "while True: pass")["error"] == "took too long"


def test_a_peer_that_cannot_be_installed_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("MLOPS_PEERS", str(tmp_path / "cache"))
    pins = tmp_path / "nobody.txt"
    pins.write_text(f"nobody @ file://{tmp_path}/nobody-1-py3-none-any.whl\n")
    with pytest.raises(NotInstalled) as why:
        python_of(pins)
    assert "nobody-1-py3-none-any.whl" in why.value.reason


def test_a_peer_that_cannot_be_imported_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("MLOPS_PEERS", str(tmp_path / "cache"))
    monkeypatch.setattr("benchmarks.environments._install", lambda *_: None)
    pins = tmp_path / "nobody.txt"
    pins.write_text("")
    with pytest.raises(NotInstalled, match="import nobody_at_all"):
        python_of(pins, "nobody_at_all")


def test_every_system_has_its_files():
    for system in SYSTEMS.values():
        assert (ADAPTERS / system.script).is_file()
        assert system.pins is None or system.pins.is_file()
