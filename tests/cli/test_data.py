"""Versions of data: listed, shown, compared, proven whole, copied, brought back, trained on (L-ACQ-7, -8 and -10)."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.cli import main
from mlops_compiler.commands.keeping import about_data, back_up
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.store.writer import open_writer

ROOT = Path(__file__).parents[2]
BACKUPS = "data.snapshot.backups=[copies]"


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "recipes" / "data").mkdir(parents=True)
    shutil.copy(ROOT / "recipes" / "data" / "credit.parquet", tmp_path / "recipes" / "data")
    shutil.copy(ROOT / "recipes" / "loan.yaml", tmp_path / "recipes")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def take_in(*overrides, keep=None):
    """Take the source in as a run does, and record that; of it, the first rows only."""
    source = Path("recipes/data/credit.parquet")
    if keep is not None:
        pl.read_parquet(source).head(keep).write_parquet(source)
    (planned,) = launch(["recipe=loan", *overrides], plan_recipe)
    recipe = planned.compiled.recipe
    task = StageTask(
        stage=planned.plan.stage("snapshot"),
        recipe="loan",
        root=str(planned.compiled.composed.root.absolute()),
        store=planned.location,
        run_id="r1",
        facts={"data": about_data(recipe)},
    )
    store = open_writer(planned.location)
    (record,) = run_in_process([task], {}).values()
    store.record_stage(record)
    return back_up(recipe, store, record, None)


def told(capsys, *words):
    """Run a command; give what it prints as data."""
    capsys.readouterr()
    code = main([*words, "recipe=loan", "--json"])
    return code, json.loads(capsys.readouterr().out)


def objects(folder=".mlops"):
    return sorted(path for path in (Path(folder) / "objects").rglob("*") if path.is_file())


def test_versions_are_counted_by_their_content(place, capsys):
    assert main(["data", "recipe=loan"]) == 0
    assert "no data of loan are kept yet" in capsys.readouterr().out
    take_in()
    take_in(keep=3000)
    take_in("data.columns.age.range=[18,90]")
    _, rows = told(capsys, "data", "list")
    assert [(row["version"], row["rows"], row["here"], row["expired"]) for row in rows] == [
        (1, 4454, True, False),
        (2, 3000, True, False),
    ]
    assert main(["data", "list", "recipe=loan"]) == 0
    assert "3,000 rows" in capsys.readouterr().out


def test_what_was_said_of_the_data_is_kept_with_the_version(place, capsys):
    take_in("data.snapshot={licence: CC-BY-4.0, personal: [age], retention: 30d}")
    _, shown = told(capsys, "data", "show", "1")
    assert (shown["licence"], shown["personal"], shown["retention"]) == ("CC-BY-4.0", ["age"], 30 * 86_400)
    assert shown["owner"]["name"] == "Credit risk"
    assert {"column": "income", "type": "float", "missing": 381} in shown["contract"]
    assert main(["data", "show", "recipe=loan"]) == 0
    assert "30 days" in capsys.readouterr().out


def test_what_is_older_than_its_retention_is_marked(place, capsys):
    take_in("data.snapshot.retention=1s")
    store = open_writer(launch(["recipe=loan"], plan_recipe)[0].location)
    (record,) = store.stages("loan", "snapshot")
    store.record_stage(replace(record, started=record.started - 10))
    assert told(capsys, "data", "list")[1][0]["expired"] is True


def test_two_versions_are_compared(place, capsys):
    take_in()
    source = place / "recipes" / "data" / "credit.parquet"
    pl.read_parquet(source).filter(pl.col("age") < 40).write_parquet(source)
    take_in()
    _, found = told(capsys, "data", "diff")
    assert (found["before"], found["after"]) == (1, 2)
    moved = {item["name"]: item["distance"] for item in found["shifts"]}
    assert max(moved, key=lambda name: moved[name] or 0) == "age"
    assert main(["data", "diff", "1", "1", "recipe=loan"]) == 0
    assert "the same table" in capsys.readouterr().out


def test_a_damaged_version_is_found_and_brought_back(place, capsys):
    made, failed = take_in(BACKUPS)
    assert (made, failed) == ([str(place / "copies")], [])
    assert take_in(BACKUPS) == ([], [])
    (kept,) = objects()
    good = kept.read_bytes()
    kept.write_bytes(good[:-1])
    code, rows = told(capsys, "data", "verify", BACKUPS)
    assert (code, [(row["place"], row["state"]) for row in rows]) == (1, [("store", "damaged"), ("copies", "whole")])
    assert told(capsys, "data", "restore", BACKUPS) == (0, {"restored": [rows[0]["snapshot"]], "lost": []})
    assert kept.read_bytes() == good
    assert main(["data", "verify", "recipe=loan"]) == 0
    assert told(capsys, "data", "restore", BACKUPS) == (0, {"restored": [], "lost": []})


def test_a_lost_store_comes_back_hash_by_hash(place, capsys):
    take_in(BACKUPS, "data.snapshot.licence=CC0-1.0")
    take_in(BACKUPS, keep=2000)
    _, before = told(capsys, "data", "list")
    names = [path.name for path in objects()]
    shutil.rmtree(".mlops")
    open_writer.cache_clear()
    assert main(["data", "restore", "recipe=loan", BACKUPS]) == 0
    assert "2 versions are back" in capsys.readouterr().out
    assert told(capsys, "data", "list")[1] == before
    assert [path.name for path in objects()] == names
    assert told(capsys, "data", "show", "1")[1]["licence"] == "CC0-1.0"


def test_a_copy_that_is_damaged_is_not_brought_back(place, capsys):
    take_in(BACKUPS)
    (copy,) = objects("copies")
    copy.write_bytes(b"nonsense")
    (kept,) = objects()
    kept.unlink()
    assert main(["data", "restore", "recipe=loan", BACKUPS]) == 1
    assert "no backup has version `1` whole" in capsys.readouterr().err
    assert not kept.exists()


def test_a_place_that_cannot_be_written_does_not_fail_a_run(place, capsys):
    (place / "copies").write_text("a file")
    made, (failed,) = take_in(BACKUPS)
    assert (made, failed.code, failed.is_error) == ([], "backup-failed", False)
    assert main(["data", "archive", "recipe=loan", BACKUPS]) == 1
    (place / "copies").unlink()
    assert main(["data", "archive", "recipe=loan", BACKUPS]) == 0
    assert "1 copies made" in capsys.readouterr().out


def test_an_old_version_can_be_trained_on(place, capsys):
    take_in()
    take_in(keep=3000)
    (planned,) = launch(["recipe=loan", "data.version=1"], plan_recipe)
    source = planned.plan.stage("snapshot").nodes[0].op.path
    assert pl.read_parquet(source).height == 4454
    assert main(["check", "recipe=loan", "data.version=3"]) == 1
    assert "unknown-version" in capsys.readouterr().err
    objects()[0].unlink()
    objects()[0].unlink()
    assert main(["check", "recipe=loan", "data.version=1"]) == 1
    assert "version-absent" in capsys.readouterr().err


def test_a_pinned_version_holds_what_was_joined_chosen_and_computed(tmp_path, monkeypatch):
    (tmp_path / "recipes" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"k": [1, 1, 2, 3] * 30, "v": list(range(120)), "gone": ["a"] * 120}).write_parquet(
        "recipes/data/rows.parquet"
    )
    pl.DataFrame({"k": [1, 2], "w": [0.5, 1.5]}).write_parquet("recipes/data/other.parquet")
    Path("recipes/loan.yaml").write_text(
        "name: loan\n"
        "objective: {task: binary_classification, target: big, target_is: v > 60, positive: true}\n"
        "data:\n"
        "  source: {kind: parquet, path: data/rows.parquet}\n"
        "  join: {other: {source: {kind: parquet, path: data/other.parquet}, by: k}}\n"
        "  where: k < 3\n"
        "  ignore: [gone]\n"
        "  columns: {v: {known: after_outcome}}\n"
        "prepare: {fill: {op: impute, columns: w, with: 0}}\n"
        "models: {prior: {kind: prior}}\n"
    )
    source = Path("recipes/data/credit.parquet")
    assert not source.exists()
    take_in()
    (planned,) = launch(["recipe=loan", "data.version=1"], plan_recipe)
    kept = pl.read_parquet(planned.plan.stage("snapshot").nodes[0].op.path)
    assert kept.columns == ["k", "v", "w", "big"]
    assert kept.height == 90
    take_in("data.version=1")
    assert len(objects()) == 2, "the table, and the rows that were left out"


WRONG = {
    "a word that there is not": (["lst"], "did you mean `list`?"),
    "a version that is no number": (["show", "one"], "a version is a number"),
    "a version that there is not": (["show", "7"], "unknown-version"),
    "no place to copy to": (["archive"], "no-backup"),
    "no place to restore from": (["restore"], "no-backup"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_refuses(place, capsys, case):
    words, text = case
    take_in()
    assert main(["data", *words, "recipe=loan"]) in (1, 2)
    assert text in capsys.readouterr().err


def test_rows_that_are_left_out_and_dropped_can_be_read_with_the_reason(place, capsys):
    recipe = place / "recipes" / "loan.yaml"
    steps = (
        "prepare:\n  few: {op: filter, where: debt < 10000}\n"
        "  once: {op: deduplicate, columns: [age, amount, price, income, seniority]}\n"
    )
    recipe.write_text(recipe.read_text().replace("prepare:\n", steps))
    words = ['data.where="age >= 20"']
    capsys.readouterr()
    assert main(["data", "quarantine", "recipe=loan"]) == 2
    assert "not-run" in capsys.readouterr().err
    (planned,) = launch(["recipe=loan", *words], plan_recipe)
    root, store = str(planned.compiled.composed.root.absolute()), open_writer(planned.location)
    tasks = [
        StageTask(stage=planned.plan.stage(name), recipe="loan", root=root, store=planned.location, run_id="r1")
        for name in ("snapshot", "split", "prepare")
    ]
    for record in run_in_process(tasks, {}).values():
        store.record_stage(record)
    code, found = told(capsys, "data", "quarantine", *words, "--out", "dropped.parquet")
    assert code == 0
    assert [(item["step"], item["reason"]) for item in found["dropped"]] == [
        ("data.where", "age >= 20"),
        ("few", "debt < 10000"),
        ("once", "the first only of rows that are equal in age, amount, price, income, seniority"),
    ]
    dropped, source = pl.read_parquet("dropped.parquet"), pl.read_parquet("recipes/data/credit.parquet")
    assert dropped.height == sum(item["rows"] for item in found["dropped"])
    by_step = {str(step): rows for (step,), rows in dropped.group_by("step")}
    assert sorted(by_step["data.where"]["application_id"]) == sorted(
        source.filter(pl.col("age") < 20)["application_id"]
    )
    assert not by_step["few"].filter(pl.col("debt") < 10000).height
    assert (
        by_step["few"].select(source.columns).join(source, on=source.columns, how="anti", nulls_equal=True).is_empty()
    )
    assert main(["data", "quarantine", "recipe=loan", *words]) == 0
    assert "age >= 20" in capsys.readouterr().out
    assert main(["data", "quarantine", "recipe=loan", *words, "--out", "dropped.xml"]) == 2
    assert "output-unwritable" in capsys.readouterr().err
