"""A searched preparation on Ray: the trials of one process, and the chosen one in all that tells of it (L-FE-3)."""

from __future__ import annotations

import json

import pytest

from mlops_compiler.store.records import chosen_preparation
from tests.engine.test_run import run_locally

pytestmark = pytest.mark.engine
OLD = """\
  no_bill_yet: {op: impute, columns: total_charges, with: 0}
  scale: {op: standardize, columns: numeric}
"""
NEW = """\
  known: {op: filter, where: {choice: [tenure > 1, tenure > 5]}, max_loss: 0.5}
  no_bill_yet: {op: impute, columns: total_charges, with: {choice: [0, median]}}
  tails: {choice: [null, {op: clip, columns: total_charges, upper: {uniform: [0.8, 0.99]}}]}
  scale: {op: {choice: [standardize, robust_scale]}, columns: numeric}
"""
LOW = "objective.accept.roc_auc.at_least=0.5"


def test_a_searched_preparation_runs_and_is_told(small, make_workplace, tmp_path, monkeypatch):
    other = make_workplace(tmp_path / "other")
    for place in (small, other):
        place.edit(OLD, NEW)
        place.edit("trials: 6", "trials: 10")
    said = small.main("recipe=small", LOW)
    assert said.code == 0, said.err
    assert run_locally(other, monkeypatch, LOW) == small.digests()
    chosen = small.run().summary["preparation"]
    word = f"prepare.no_bill_yet.with={chosen['prepare.no_bill_yet.with']}"
    assert f"prepared with prepare.known.where={chosen['prepare.known.where']}" in " ".join(said.out.split())
    assert word in small.main("show", "recipe=small").out
    assert word in (small.root / small.run().summary["report"]).read_text()
    stages = {name: small.store.last_stage("small", name) for name in ("prepare", "train")}
    told = {item["step"]: item for item in chosen_preparation(stages)["steps"]}
    dropped = json.loads(small.main("data", "quarantine", "recipe=small", LOW, "--json").out)
    assert dropped["dropped"][0]["rows"] == told["known"]["rows_in"] - told["known"]["rows_out"] > 0
    scored = small.main("predict", "recipe=small", "input=recipes/data/small.csv", "output=scores.csv")
    assert scored.code == 0, scored.err
