"""L-PREP-2: the plan cites what an exploration of the same rows found against a step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlops_compiler.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "recipes" / "data").mkdir(parents=True)
    shutil.copy(ROOT / "recipes" / "data" / "credit.parquet", tmp_path / "recipes" / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(place, **steps):
    text = (ROOT / "recipes" / "loan.yaml").read_text()
    before, after = text[: text.index("prepare:")], text[text.index("validate:") :]
    lines = "".join(f"  {name}: {step}\n" for name, step in steps.items())
    (place / "recipes" / "loan.yaml").write_text(f"{before}prepare:\n{lines}{after}")


FILL = "{op: impute, columns: [income, assets, debt], with: median}"
REST = {
    "words": "{op: impute, columns: [home, marital, job], with: unsaid}",
    "encode": "{op: one_hot, columns: categorical}",
}
CITED = {
    "a fill": ({"sums": FILL}, ["imputes-not-at-random"] * 3),
    "a fill with its reason": ({"sums": FILL.replace("median", "median, because: few")}, []),
    "a fill that says what was missing": ({"sums": FILL.replace("median", "median, indicator: true")}, []),
    "a fill by group": ({"sums": FILL.replace("median", "median, by: records")}, []),
    "a column that is made anew before": (
        {"less": "{op: derive, columns: {income: income, debt: debt, assets: assets}}", "sums": FILL},
        [],
    ),
    "a drop": (
        {"gone": "{op: drop, columns: [seniority, price]}", "sums": FILL.replace("median", "median, because: few")},
        ["drops-informative"],
    ),
}


@pytest.mark.parametrize("case", CITED.values(), ids=CITED)
def test_the_plan_cites(place, capsys, case):
    steps, codes = case
    write(place, **steps, **REST)
    assert main(["plan", "recipe=loan", "--format", "concise"]) == 0
    assert "[drops-informative]" not in capsys.readouterr().err
    assert main(["explore", "recipe=loan"]) == 0
    assert "`income` is missing depends on `job`" in " ".join(capsys.readouterr().out.split())
    assert main(["plan", "recipe=loan", "--format", "concise"]) == 0
    told = capsys.readouterr().err
    cited = ("drops-informative", "imputes-not-at-random")
    assert sorted(code for code in cited for _ in range(told.count(f"warning[{code}]"))) == codes
    assert main(["plan", "recipe=loan", "--format", "concise", "allow=[drops-informative,imputes-not-at-random]"]) == 0
    told = capsys.readouterr().err
    assert not any(f"warning[{code}]" in told for code in cited)


def test_other_rows_are_not_judged_by_what_these_say(place, capsys):
    write(place, sums=FILL, **REST)
    assert main(["explore", "recipe=loan"]) == 0
    import polars as pl

    path = place / "recipes" / "data" / "credit.parquet"
    before = path.read_bytes()
    pl.read_parquet(path).head(4000).write_parquet(path)
    capsys.readouterr()
    assert main(["plan", "recipe=loan", "--format", "concise"]) == 0
    assert "imputes-not-at-random" not in capsys.readouterr().err
    assert main(["explore", "recipe=loan"]) == 0
    path.write_bytes(before)
    assert main(["plan", "recipe=loan", "--format", "concise"]) == 0
    assert "imputes-not-at-random" in capsys.readouterr().err


def test_what_was_found_is_shown_again_and_written_where_it_is_asked_for(place, capsys):
    write(place, sums=FILL, **REST)
    assert main(["explore", "recipe=loan"]) == 0
    first = capsys.readouterr().out
    assert main(["explore", "recipe=loan"]) == 0
    assert capsys.readouterr().out == first
    assert main(["explore", "recipe=loan", "--out", "found.json"]) == 0
    assert main(["explore", "recipe=loan", "--out", "found.html"]) == 0
    assert '"missing-tells"' in (place / "found.json").read_text()
    (stored,) = (place / ".mlops" / "reports").glob("loan-data-*.html")
    assert (place / "found.html").read_text() == stored.read_text()
    assert main(["explore", "recipe=loan", "--out", "nowhere/found.html"]) == 2
    assert "output-unwritable" in capsys.readouterr().err


def test_rows_that_break_the_contract_are_refused(place, capsys):
    write(place, sums=FILL, **REST)
    assert main(["explore", "recipe=loan", "data.columns.age.range=[18,40]"]) == 1
    assert "contract" in capsys.readouterr().err
