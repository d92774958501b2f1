"""What a run explains can be read back: as data, as a model card, and row by row. L-SEL-4, L-FB-3, L-GOV-1."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

pytestmark = pytest.mark.engine


def test_what_explains_a_run_is_shown_and_is_data(finished):
    said = finished.main("show", "recipe=small")
    assert "Explained" in said.out
    told = json.loads(finished.main("show", "recipe=small", "--json").out)["explanation"]
    columns = told["importance"]["columns"]
    assert [item["mean"] for item in columns] == sorted((item["mean"] for item in columns), reverse=True)
    assert {item["name"] for item in columns} >= {"tenure", "contract", "total_charges"}
    assert {item["name"] for item in told["importance"]["features"]} >= {"tenure", "contract"}
    assert told["contributions"]["method"] in ("linear", "tree")
    assert len(told["dependence"]) == 3
    assert told["slices"]["found"]["tested"] > 20
    assert any(row["chosen"] for row in told["thresholds"])


def test_another_question_runs_nothing_else_and_keeps_the_release(finished):
    before = finished.run()
    said = finished.main("recipe=small", "explain.slices=[contract]", "explain.partial_dependence=[tenure]", "--json")
    assert json.loads(said.out)["ran"] == ["explain", "report"]
    told = json.loads(finished.main("show", "recipe=small", "--json").out)
    assert told["summary"]["release"] == before.summary["release"] == 1
    assert [item["slice"] for item in told["explanation"]["slices"]["declared"]] == [
        "contract = Month-to-month",
        "contract = One year",
        "contract = Two year",
    ]
    assert [item["column"] for item in told["explanation"]["dependence"]] == ["tenure"]
    card = json.loads(finished.main("card", "recipe=small", "--json").out)
    assert len(card["slices"]["declared"]) == 3


def test_nothing_is_explained_where_nothing_is_asked(finished):
    said = finished.main("recipe=small", "explain=none", "--json")
    assert json.loads(said.out)["ran"] == ["explain", "report"]
    told = json.loads(finished.main("show", "recipe=small", "--json").out)["explanation"]
    assert not told.keys() & {"importance", "contributions", "dependence", "slices"}


@pytest.mark.parametrize("suffix", ["md", "html", "json"])
def test_the_card_of_a_release_is_written_as_its_suffix_says(finished, suffix):
    said = finished.main("card", "1", "recipe=small", "--out", f"card.{suffix}")
    assert (said.code, said.out) == (0, f"the model card of small release 1 is in card.{suffix}\n")
    text = (finished.root / f"card.{suffix}").read_text()
    assert "Which of six hundred customers leave." in text
    assert {"md": "# Model card: small", "html": "<h1>small</h1>", "json": '"release": 1'}[suffix] in text


def test_the_card_is_text_on_standard_output(finished):
    assert finished.main("card", "recipe=small").out.startswith("# Model card: small\n\nRelease 1, made ")


@pytest.mark.parametrize(
    ("words", "code", "headline"),
    [
        (["card", "recipe=small", "9"], 1, "has no release 9"),
        (["card", "recipe=small", "first"], 2, "`card` takes the number of a release, not 'first'"),
        (
            ["card", "recipe=small", "--out", "card.pdf"],
            2,
            "a model card is written as .md, .html or .json, not as .pdf",
        ),
        (["predict", "recipe=small", "input=a", "output=b", "explain=yes"], 2, "`explain` takes true or false"),
    ],
)
def test_what_cannot_be_given_is_refused(finished, words, code, headline):
    said = finished.main(*words)
    assert said.code == code
    assert headline in said.err


def test_each_scored_row_tells_what_added_up_to_its_answer(finished):
    words = ["recipe=small", "input=recipes/data/small.csv"]
    assert finished.main("predict", *words, "output=plain.parquet").code == 0
    assert finished.main("predict", *words, "output=told.parquet", "explain=true").code == 0
    plain, told = (pl.read_parquet(finished.root / f"{name}.parquet") for name in ("plain", "told"))
    assert told.select(plain.columns).equals(plain)
    parts = told.select(pl.col("^contribution_.*$"))
    assert {"contribution_tenure", "contribution_contract"} <= set(parts.columns)
    score = told["base"].to_numpy() + parts.to_numpy().sum(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-score)), told["probability"].to_numpy(), atol=1e-6)
