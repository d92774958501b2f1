"""A file is scored as the service scores it, and refused as a source is."""

from __future__ import annotations

import orjson
import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError, UsageError
from mlops_compiler.serving.batch import predict_file
from mlops_compiler.serving.service import Service

WRITE = {"csv": pl.DataFrame.write_csv, "parquet": pl.DataFrame.write_parquet, "ndjson": pl.DataFrame.write_ndjson}
READ = {"csv": pl.read_csv, "parquet": pl.read_parquet, "ndjson": pl.read_ndjson}


@pytest.fixture
def customers(rows):
    return rows.with_columns(
        pl.format("c{}", pl.int_range(rows.height)).alias("customer"),
        pl.when(pl.int_range(rows.height) % 9 > 0).then(pl.col("charges")).alias("charges"),
        extra=pl.lit(1),
    )


@pytest.mark.parametrize("given", WRITE)
@pytest.mark.parametrize("wanted", WRITE)
@pytest.mark.parametrize("model", ["logistic_regression", "hist_gradient_boosting"])
def test_equals_the_service_to_the_last_bit(make_predictor, customers, tmp_path, given, wanted, model):
    predictor = make_predictor(model)
    source, output = tmp_path / f"in.{given}", tmp_path / f"out.{wanted}"
    WRITE[given](customers, source)
    summary = predict_file(predictor, source, output)
    service = Service(predictor, {"release": 1})
    expected = [
        {name: value for name, value in service.answer(body).items() if name != "release"}
        for body in map(orjson.dumps, customers.drop("extra").to_dicts())
    ]
    assert READ[wanted](output).to_dicts() == expected
    assert (summary.rows, summary.ignored) == (customers.height, ("extra",))
    assert sum(summary.decisions.values()) == customers.height
    assert [path.name for path in tmp_path.iterdir()].count(output.name) == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_blank_cells_of_a_number_are_missing(predictor, tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("tenure,charges,contract,senior\n5, ,monthly,true\n5,,monthly,true\n")
    predict_file(predictor, source, output)
    assert pl.read_csv(output)["probability"].n_unique() == 1


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        pytest.param("tenur,contract,senior\n5,monthly,true\n", "missing-column", "did you mean `tenur`?", id="column"),
        pytest.param("tenure,contract,senior\n5,montly,true\n", "contract-values", "data rows 1", id="value"),
        pytest.param("tenure,contract,senior\n500,monthly,true\n", "contract-range", "data rows 1", id="range"),
        pytest.param("tenure,contract,senior\nfive,monthly,true\n", "lossy-cast", "row 1: 'five'", id="type"),
        pytest.param("tenure,contract,senior\n,monthly,true\n", "contract-null", "data rows 1", id="null"),
        pytest.param(
            "tenure,contract,senior,charges\n5,monthly,true,inf\n", "contract-infinite", "data rows 1", id="infinite"
        ),
        pytest.param("tenure,contract,senior\n", "source-empty", "no rows", id="no rows"),
        pytest.param("tenure,contract,senior\n5,monthly\n5,monthly,true,x\n", "ragged-rows", "line", id="ragged"),
        pytest.param("", "source-empty", "empty", id="empty"),
    ],
)
def test_refuses_input(predictor, tmp_path, text, code, words):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(text)
    with pytest.raises(DataError) as refused:
        predict_file(predictor, source, output)
    assert code in [item.code for item in refused.value.diagnostics]
    assert words in " ".join(str(item) for item in refused.value.diagnostics)
    assert not output.exists()


def test_partial_scores_the_rows_that_keep_the_contract(predictor, tmp_path):
    head = "tenure,contract,senior,charges\n"
    good, worse = "5,monthly,true,3.5\n7,monthly,false,\n", "500,montly,true,inf\n"
    source, output, alone = tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "alone.csv"
    source.write_text(head + worse + good + "five,monthly,true,1\n,monthly,true,1\n" + good)
    summary = predict_file(predictor, source, output, partial=True)
    scored = pl.read_csv(output)
    assert (summary.rows, summary.refused) == (7, 3)
    assert [bool(text) for text in scored["refused"]] == [True, False, False, True, True, False, False]
    first = scored["refused"][0]
    assert all(f"`{name}` must" in first for name in ("tenure", "contract", "charges"))
    assert "`tenure` must be int" in scored["refused"][3]
    assert "`tenure` may not be missing" in scored["refused"][4]
    (tmp_path / "in.csv").write_text(head + good)
    predict_file(predictor, source, alone)
    answers = scored.filter(pl.col("refused").is_null()).drop("refused")
    assert answers.to_dicts() == pl.read_csv(alone).to_dicts() * 2
    assert scored.filter(pl.col("refused").is_not_null())["probability"].null_count() == 3


def test_partial_marks_nothing_where_all_rows_keep_the_contract(predictor, customers, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    customers.write_parquet(source)
    assert predict_file(predictor, source, output, partial=True).refused == 0
    assert pl.read_parquet(output)["refused"].null_count() == customers.height


@pytest.mark.parametrize("name", ["gone.csv", "gone.parquet", "gone.ndjson"])
def test_refuses_a_file_that_is_not_there(predictor, tmp_path, name):
    with pytest.raises(DataError, match="does not exist"):
        predict_file(predictor, tmp_path / name, tmp_path / "out.csv")


def test_refuses_lines_that_are_no_json(predictor, tmp_path):
    (tmp_path / "in.ndjson").write_text("{}\n{")
    with pytest.raises(DataError, match="cannot be read"):
        predict_file(predictor, tmp_path / "in.ndjson", tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("source", "output", "words"),
    [
        pytest.param("in.xlsx", "out.csv", "input in.xlsx is of no format", id="input"),
        pytest.param("in.csv", "out.xlsx", "output out.xlsx is of no format", id="output"),
        pytest.param("in.csv", "there/out.csv", "does not exist", id="folder"),
        pytest.param("in.csv", "in.csv", "it is the input", id="same"),
    ],
)
def test_refuses_names(predictor, tmp_path, source, output, words):
    (tmp_path / source).write_text("tenure\n5\n")
    with pytest.raises(UsageError, match=words):
        predict_file(predictor, tmp_path / source, tmp_path / output)
