"""What is wrong is said in words, at its place, all of it at once; nothing is written and nobody sees a traceback."""

from __future__ import annotations

import json

import pytest


def cases(*found):
    """Make parameters of a name, the words, the exit code and what the message must hold."""
    return [pytest.param(words, code, texts, id=name) for name, words, code, *texts in found]


COMMAND_LINES = cases(
    ("unknown command", "chekc recipe=small", 2, "unknown-command", "did you mean `check`?", "command line: chekc"),
    ("missing recipe", "recipe=smal", 2, "unknown-recipe", "did you mean `small`?", "command line: recipe=smal"),
    ("no recipe named", "check", 2, "no-recipe", "add recipe=NAME"),
    ("missing file", "recipe=gone/away.yaml", 2, "gone/away.yaml"),
    ("unknown section", "searh.trials=3", 1, "unknown-key", "did you mean `search`?", "command line: searh.trials=3"),
    ("unknown key", "search.trails=3", 1, "unknown-key", "did you mean `trials`?"),
    ("wrong type", "search.trials=many", 1, "wrong-type", "whole number", "command line: search.trials=many"),
    ("wrong choice", "select.rule=bset", 1, "`best`", "command line: select.rule=bset"),
    ("unknown model kind", "models.logistic.kind=logistic_regresion", 1, "unknown-kind", "`logistic_regression`"),
    ("unknown target", "objective.target=chrun", 1, "chrun", "`churn`"),
    ("contradiction", "objective.accept.roc_auc.at_most=0.1", 1, "at least 0.6 and at most 0.1"),
    ("no number", "runs recipe=small limit=few", 2, "bad-argument", "`limit` takes a whole number"),
    ("unknown run", "show 20010101-000000-abcdef", 2, "unknown-run"),
    ("no run", "show", 2, "no run is recorded"),
    ("nothing to score", "predict recipe=small", 2, "missing-argument", "`predict` needs `input=...`"),
    ("nowhere to write", "predict recipe=small input=x.csv", 2, "`predict` needs `output=...`"),
    ("no release", "predict recipe=small input=x.csv output=y.csv", 1, "unknown-release", "no release yet"),
    ("no release to serve", "deploy recipe=small release=3", 1, "unknown-release"),
    ("not deployed", "undeploy recipe=small", 2, "not-deployed", "mlops-compile deploy recipe=small"),
    ("no logs", "logs recipe=small", 2, "not-deployed"),
    ("sweep without flag", "validate.seed=1,2", 2, "sweep-without-multirun", "add --multirun"),
    ("no cluster", "cluster.address=nowhere", 1, "cluster.address"),
    ("no folder", "check recipe=small --recipe-dir nowhere", 2, "bad-argument", "a folder that exists"),
    ("unknown flag", "check recipe=small --jsno", 2, "--jsno"),
)


def words_of(line):
    words = line.split()
    named = any(word.startswith("recipe=") for word in words) or words[0] in ("check", "show", "chekc")
    return words if named else ["recipe=small", *words]


@pytest.mark.parametrize(("line", "code", "texts"), COMMAND_LINES)
def test_a_wrong_command_line(small, line, code, texts):
    before = small.files()
    said = small.main(*words_of(line))
    assert (said.code, said.out) == (code, ""), said.err
    for text in texts:
        assert text in said.err
    assert "Traceback" not in said.err
    assert small.files() == before


@pytest.mark.parametrize(("line", "code", "texts"), COMMAND_LINES)
def test_a_wrong_command_line_as_json(small, line, code, texts):
    said = small.main(*words_of(line), "--json")
    (*_, last) = json.loads(said.out)["errors"]
    assert said.code == code
    assert {"code", "headline", "span", "notes", "help"} <= set(last)


EDITS = cases(
    ("unknown key", ("  metric: roc_auc", "  metrik: roc_auc"), 1, "small.yaml:7:3", "did you mean `metric`?"),
    ("wrong type", ("k: 3", "k: three"), 1, "small.yaml:23:", "whole number", "'three'"),
    ("unknown column", ("tenure: {type", "tenur: {type"), 1, "small.yaml:15:5", "`tenure`"),
    (
        "unknown step column",
        ("columns: total_charges", "columns: total_charge"),
        1,
        "small.yaml:20:",
        "`total_charges`",
    ),
    ("unknown op", ("op: standardize", "op: standardise"), 1, "small.yaml:21:", "`standardize`"),
    ("unknown model kind", ("kind: prior", "kind: priot"), 1, "small.yaml:25:", "`prior`"),
    ("contradiction", ("range: [0, 100]", "range: [100, 0]"), 1, "small.yaml:15:", "low <= high"),
    ("unknown class", ('positive: "Yes"', "positive: Maybe"), 1, "small.yaml:6:", "`Yes`"),
    ("missing data file", ("data/small.csv", "data/smal.csv"), 1, "small.yaml:12:", "does not exist"),
    ("not YAML", ("objective:", "objective: ["), 1, "small.yaml:"),
)


@pytest.mark.parametrize("command", ["check", "plan", "run"])
@pytest.mark.parametrize(("edit", "code", "texts"), EDITS)
def test_a_wrong_recipe(small, command, edit, code, texts):
    small.edit(*edit)
    before = small.files()
    said = small.main(command, "recipe=small")
    assert (said.code, said.out) == (code, ""), said.err
    for text in texts:
        assert text in said.err
    assert "Traceback" not in said.err
    assert small.files() == before


def test_all_errors_of_a_phase_are_said_at_once(small):
    small.edit("  metric: roc_auc", "  metrik: roc_auc")
    small.edit("kind: prior", "kind: priot")
    small.edit("k: 3", "k: three")
    said = small.main("check", "recipe=small", "search.trials=many")
    assert said.code == 1
    assert said.err.count("error[") == 4
    for text in ("metrik", "priot", "'three'", "'many'"):
        assert text in said.err


def empty(lines):
    return []


def header_only(lines):
    return lines[:1]


def ragged(lines):
    return [*lines[:5], lines[5] + ",one,too,many", *lines[6:]]


def one_class(lines):
    return [line for line in lines if not line.endswith(",Yes")]


def out_of_range(lines):
    return [*lines[:9], lines[9].replace(lines[9].split(",")[tenure(lines)], "9999", 1), *lines[10:]]


def tenure(lines):
    return lines[0].split(",").index("tenure")


def renamed_column(lines):
    return [lines[0].replace("tenure", "months"), *lines[1:]]


def same_key_twice(lines):
    return [*lines, lines[1]]


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("spoil", "texts"),
    [
        pytest.param(empty, ["small.yaml:12:", "empty"], id="empty file"),
        pytest.param(header_only, ["no row"], id="no rows"),
        pytest.param(ragged, ["line 6"], id="ragged rows"),
        pytest.param(one_class, ["small.yaml:5:", "both outcomes"], id="one class"),
        pytest.param(out_of_range, ["tenure", "9999"], id="broken contract"),
        pytest.param(renamed_column, ["`tenure`"], id="a column is gone"),
        pytest.param(same_key_twice, ["customer_id"], id="a key twice"),
    ],
)
def test_wrong_data(small, spoil, texts):
    lines = small.rows.read_text().splitlines()
    small.rows.write_text("".join(f"{line}\n" for line in spoil(lines)))
    said = small.main("recipe=small")
    assert (said.code, said.out) == (1, ""), said.err
    for text in texts:
        assert text in said.err
    assert "Traceback" not in said.err
    assert not [path for path in small.files() if path.startswith(".mlops/tmp")]
    assert small.store.releases("small") == []
    assert not small.folder.exists() or small.run().status == "failed"
