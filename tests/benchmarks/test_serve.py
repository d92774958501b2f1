"""The benchmark of serving: what servers are asked and answer, what is counted, and that HAProxy stays on the loopback."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest

from benchmarks.serve.apps import telco
from benchmarks.serve.inputs import fit
from benchmarks.serve.load import parse
from benchmarks.serve.systems import APPS, SYSTEMS
from benchmarks.serve.table import Cell, percentile, table

ROW = {"tenure": 3, "contract": "One year", "total_charges": 90.5}


@pytest.mark.parametrize(
    ("share", "found"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)], ids=["median", "p99", "most", "least"]
)
def test_a_percentile_is_a_value_that_was_seen(share, found):
    assert percentile(list(range(100, 0, -1)), share) == found


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_server_has_its_files_and_is_sent_the_row(name):
    system = SYSTEMS[name]
    assert (APPS / system.script).is_file()
    assert system.pins is None or system.pins.is_file()
    assert "One year" in json.dumps(json.loads(system.body(ROW)))


def test_a_row_as_tensors():
    sent = json.loads(SYSTEMS["mlserver"].body(ROW))["inputs"]
    assert [item["datatype"] for item in sent] == ["INT64", "BYTES", "FP64"]
    assert [item["data"] for item in sent] == [[3], ["One year"], [90.5]]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}", None),
        (b"HTTP/1.1 200 OK\r\ncontent-le", None),
        (b"HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n1\r\n \r\n0\r\n\r\n", (422, b"{} ")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", None),
    ],
    ids=["whole", "part of the body", "part of the head", "chunks", "part of the chunks"],
)
def test_reads_answers(answer, found):
    assert parse(answer) == found


def test_the_table_measures_by_ours_and_tells_who_is_absent():
    ours = Cell(latencies=[0.001] * 100, wall=0.1, cpu=Counter(server=0.05))
    other = Cell(latencies=[0.004] * 100, wall=0.4, cpu=Counter(server=0.4), wrong=2)
    names = ("ours", "fastapi", "bentoml")
    cells = {("ours", 1): ours, ("fastapi", 1): other}
    lines = "\n".join(table([SYSTEMS[name] for name in names], cells, {"bentoml": "not installed: no wheel"}, (1,)))
    assert "| 1 | 1.00 | 1.00 | 1,000 | 0.50 |  | 1.0 | 1.0 | 1.0 |" in lines
    assert "| 1 | 4.00 | 4.00 | 250 | 4.00 |  2 of 100 answers wrong | 4.0 | 4.0 | 4.0 |" in lines
    assert "not installed: no wheel" in lines


def test_cpu_is_of_the_processes_that_run():
    cell = Cell(latencies=[0.1] * 1000)
    cell.count({(1, 0.0): ("replica", 5.0), (2, 0.0): ("engine", 9.0)}, {(1, 0.0): ("replica", 5.5)})
    cell.count({}, {(2, 7.0): ("engine", 0.25)})
    assert (cell.cpu_of(), cell.cpu_of("replica")) == (0.75, 0.5)


def test_the_pipeline_prepares_as_the_recipe_does():
    rows = pl.read_csv("recipes/data/telco_churn.csv", null_values=["", "NA"]).head(400)
    total = pl.col("total_charges").fill_null(0)
    expected = rows.select(total.log1p().alias("total"), (total / pl.max_horizontal("tenure", 1)).alias("month"))
    found = telco.derive(rows.to_pandas())
    assert np.allclose(found["total_charges"], expected["total"])
    assert np.allclose(found["charge_per_month"], expected["month"])


def test_the_pipeline_is_of_the_releases_kind():
    rows = pd.DataFrame({"tenure": [1, 5, 40, 60], "total_charges": [50.0, None, 900.0, 4000.0]})
    rows = rows.assign(contract=["monthly", "monthly", "yearly", "yearly"], churn=["Yes", "Yes", "No", "No"])
    request = [
        {"name": "tenure", "type": "int"},
        {"name": "total_charges", "type": "float"},
        {"name": "contract", "type": "category"},
        {"name": "customer_id", "type": "text"},
    ]
    parameters = {"C": 2.0, "l1_ratio": 0.0, "class_weight": None}
    about = {"key": "customer_id", "target": "churn", "positive": "Yes", "request": request}
    pipeline = fit(rows, about | {"model": {"parameters": parameters}})
    assert pipeline.named_steps["model"].C == 2.0
    found = pipeline.predict_proba(rows)[:, 1]
    assert (found[:2] > 0.5).all()
    assert (found[2:] < 0.5).all()
