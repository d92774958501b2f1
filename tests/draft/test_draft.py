"""A drafted recipe is one that runs: each proposal rests on what the rows are."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from mlops_compiler.cli import main
from mlops_compiler.draft import draft, read_table

ROOT = Path(__file__).parents[2]
ROWS = 600
RANDOM = np.random.default_rng(5)
Y = RANDOM.random(ROWS) < 0.3
BASE = {"left": ["yes" if item else "no" for item in Y], "x": (Y + RANDOM.normal(size=ROWS)).round(3).tolist()}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


def drafted(place, target="left", positive=None, **columns):
    """Draft a recipe for the base table with more columns; give it as data, and check that it compiles."""
    frame = pl.DataFrame({**BASE, **columns})
    frame.write_csv(place / "data" / "made.csv")
    (place / "recipes" / "made.yaml").unlink(missing_ok=True)
    words = ["init", "from=data/made.csv", f"target={target}", *([f"positive={positive}"] if positive else [])]
    assert main(words) == 0
    assert main(["check", "recipe=made", "--format", "concise"]) == 0
    return yaml.safe_load((place / "recipes" / "made.yaml").read_text())


def ops(recipe):
    return {step["op"]: step for step in recipe.get("prepare", {}).values()}


def test_a_plain_table(place):
    recipe = drafted(place, city=RANDOM.choice(["a", "b"], ROWS).tolist())
    assert recipe["objective"] | {"report": None, "accept": None} == {
        "task": "binary_classification",
        "target": "left",
        "positive": "yes",
        "metric": "roc_auc",
        "report": None,
        "accept": None,
    }
    assert recipe["data"]["source"] == {"kind": "csv", "path": "../data/made.csv"}
    assert recipe["data"]["columns"] == {
        "left": {"type": "category", "one_of": ["no", "yes"]},
        "x": {"type": "float"},
        "city": {"type": "category", "one_of": recipe["data"]["columns"]["city"]["one_of"]},
    }
    assert recipe["validate"]["holdout"]["kind"] == "stratified"
    assert list(ops(recipe)) == ["standardize"]
    assert "prepare:  # texts need no step" in (place / "recipes" / "made.yaml").read_text()


def test_types_are_what_every_value_allows(place):
    days = [(date(2024, 1, 1) + timedelta(days=index // 3)).isoformat() for index in range(ROWS)]
    recipe = drafted(
        place,
        day=days,
        zip=[f"0{index % 90:04}" for index in range(ROWS)],
        late=["?" if index % 9 == 0 else str(index % 7) for index in range(ROWS)],
        mixed=["a1" if index == 3 else str(index) for index in range(ROWS)],
    )
    types = {name: column["type"] for name, column in recipe["data"]["columns"].items()}
    assert (types["day"], types["late"]) == ("date", "int")
    assert types["zip"] == "text"
    assert recipe["data"]["source"]["null_values"] == ["", "NA", "?"]
    assert recipe["data"]["time"] == "day"
    assert recipe["validate"]["folds"]["kind"] == "time_ordered"


def test_what_names_rows_and_what_groups_them(place):
    recipe = drafted(
        place,
        customer_id=list(range(ROWS)),
        household_id=[f"h{index // 4}" for index in range(ROWS)],
        note=[f"text {index}" for index in range(ROWS)],
        same=["a"] * ROWS,
        x2=BASE["x"],
    )
    assert (recipe["data"]["key"], recipe["data"]["group"]) == ("customer_id", "household_id")
    assert sorted(recipe["data"]["ignore"]) == ["note", "same", "x2"]
    assert recipe["validate"]["holdout"]["kind"] == "grouped"


def test_steps_follow_from_what_was_found(place):
    gaps = [None if y and index % 2 else value for index, (y, value) in enumerate(zip(Y, BASE["x"], strict=True))]
    recipe = drafted(
        place,
        told=[None if gap is None else round(float(RANDOM.normal()), 3) for gap in gaps],
        level=[None if index % 50 == 0 else "ab"[index % 2] for index in range(ROWS)],
        many=[f"l{value}" for value in RANDOM.choice(80, ROWS)],
        tail=np.where(np.arange(ROWS) % 40 == 0, 900.0, RANDOM.random(ROWS)).round(3).tolist(),
        both=np.where(np.arange(ROWS) % 40 == 0, -900.0, RANDOM.random(ROWS)).round(3).tolist(),
    )
    by_name = recipe["prepare"]
    assert by_name["told_gaps"]["columns"] == ["told"]
    assert by_name["told_gaps"]["indicator"] is True
    assert not [step for step in by_name.values() if "level" in step["columns"]]
    assert by_name["rates"]["columns"] == ["many"]
    assert by_name["long_tails"]["columns"] == ["tail"]
    assert by_name["both_tails"]["columns"] == ["both"]
    assert all(step["because"] for step in by_name.values())


def test_what_tells_too_much_is_said_to_be_known_late(place):
    recipe = drafted(place, leak=[2.0 if item else 1.0 for item in Y])
    assert recipe["data"]["columns"]["leak"]["known"] == "after_outcome"


def test_a_number_is_a_regression(place):
    recipe = drafted(place, target="paid", paid=[None if index % 9 == 0 else index * 1.5 for index in range(ROWS)])
    assert recipe["objective"]["task"] == "regression"
    assert (recipe["objective"]["target"], recipe["objective"]["target_is"]) == ("paid_known", '"paid"')
    assert recipe["data"]["where"] == '"paid" IS NOT NULL'
    assert recipe["data"]["columns"]["paid"] == {"type": "float", "nullable": True, "known": "after_outcome"}
    assert recipe["models"]["baseline"] == {"kind": "mean"}
    assert recipe["models"]["linear"] == {"kind": "ridge"}


@pytest.mark.parametrize(
    ("values", "relative"),
    [
        (np.exp(RANDOM.normal(size=ROWS)), True),
        (np.where(np.arange(ROWS) % 9 == 0, np.nan, np.exp(RANDOM.normal(size=ROWS))), True),
        (np.exp(RANDOM.normal(size=ROWS)) - 1.0, False),
        (RANDOM.random(ROWS), False),
    ],
    ids=["a long tail", "with gaps", "negative ones", "no tail"],
)
def test_a_target_with_a_long_tail_has_a_model_of_its_own_beside_the_others(place, values, relative):
    recipe = drafted(place, target="paid", paid=[None if np.isnan(item) else float(item) for item in values])
    kind = recipe["models"]["boosting"]["kind"]
    assert recipe["models"].get("relative") == ({"kind": kind, "loss": "poisson"} if relative else None)


def test_texts_that_are_too_many_are_no_classes(place, capsys):
    names = [f"name {index % 90}" for index in range(ROWS)]
    (place / "data" / "made.csv").write_text(pl.DataFrame({**BASE, "who": names}).write_csv())
    assert main(["init", "from=data/made.csv", "target=who"]) == 1
    said = capsys.readouterr().err
    assert "many-classes" in said
    assert "too many to be classes" in said


def test_one_of_many_classes(place):
    classes = [["red", "green", "it's blue"][index % 3] for index in range(ROWS)]
    (place / "data" / "made.csv").write_text(pl.DataFrame({**BASE, "colour": classes}).write_csv())
    recipe = drafted(place, target="colour", colour=classes)
    assert recipe["objective"]["task"] == "multiclass_classification"
    assert recipe["objective"]["metric"] == "log_loss"
    recipe = drafted(place, target="colour", positive="it's blue", colour=classes)
    assert recipe["objective"]["target"] == "is_it_s_blue"
    assert recipe["objective"]["positive"] is True
    assert recipe["data"]["columns"]["colour"]["known"] == "after_outcome"


def test_rows_without_a_target_are_left_out(place):
    recipe = drafted(place, target="said", said=[None if index % 9 == 0 else y for index, y in enumerate(BASE["left"])])
    assert recipe["data"]["where"] == '"said" IS NOT NULL'
    assert recipe["objective"]["target"] == "is_yes"


@pytest.mark.parametrize("name", ["no", "1", "a: b", "x # y", "ü", "null"])
def test_any_name_of_a_column_is_written_so_that_it_is_read_back(place, name):
    recipe = drafted(place, **{name: RANDOM.choice(["yes", "off", "# 1", "a: b"], ROWS).tolist()})
    assert sorted(recipe["data"]["columns"][name]["one_of"]) == ["# 1", "a: b", "off", "yes"]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_found(tmp_path, separator):
    path = tmp_path / "made.csv"
    pl.DataFrame(BASE).write_csv(path, separator=separator)
    table = read_table(path)
    assert table.types == {"left": "category", "x": "float"}
    assert f"separator: {json.dumps(separator)}" in draft(table, "made", "left", None, "made.csv")


REFUSED = {
    "no such file": (["from=data/none.csv", "target=left"], 1, "source-missing"),
    "another kind of file": (["from=data/made.xlsx", "target=left"], 1, "bad-argument"),
    "no such column": (["from=data/made.csv", "target=lefft"], 1, "did you mean `left`?"),
    "no such value": (["from=data/made.csv", "target=left", "positive=maybe"], 1, "wrong-positive"),
    "one value": (["from=data/made.csv", "target=same"], 1, "one-class"),
    "no target": (["from=data/made.csv"], 2, "missing-argument"),
    "a name that is none": (["from=data/made.csv", "target=left", "name=1 2"], 2, "is no name of a recipe"),
    "a recipe that is there": (["from=data/made.csv", "target=left", "name=there"], 2, "recipe-exists"),
    "an empty file": (["from=data/empty.csv", "target=left"], 1, "empty"),
    "a header alone": (["from=data/header.csv", "target=left"], 1, "source-empty"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refuses(place, capsys, case):
    words, code, told = case
    pl.DataFrame({**BASE, "same": ["a"] * ROWS}).write_csv(place / "data" / "made.csv")
    (place / "data" / "empty.csv").touch()
    (place / "data" / "header.csv").write_text("left,x\n")
    (place / "recipes").mkdir()
    (place / "recipes" / "there.yaml").touch()
    assert main(["init", *words]) == code
    assert told in capsys.readouterr().err
    assert [path.name for path in (place / "recipes").iterdir()] == ["there.yaml"]


def test_real_data_from_the_file_to_the_plan(place, capsys):
    """The telco customers: the drafted recipe compiles, is planned, and says its types as editors check them."""
    shutil.copy(ROOT / "recipes" / "data" / "telco_churn.csv", place / "data")
    assert main(["init", "from=data/telco_churn.csv", "target=churn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "recipe": "telco_churn",
        "path": "recipes/telco_churn.yaml",
        "rows": 7043,
    }
    assert main(["plan", "recipe=telco_churn"]) == 0
    assert (place / "recipes" / "recipe.schema.json").exists()
    text = (place / "recipes" / "telco_churn.yaml").read_text()
    assert "26.5% of the rows" in text
    assert "key: customer_id" in text
