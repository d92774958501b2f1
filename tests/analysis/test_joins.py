"""Joins and populations are checked on the heads of the tables (L-ACQ-1)."""

from __future__ import annotations

import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import AsOf, Check, Join, Population
from mlops_compiler.ir.ops.preparation import Matrix
from mlops_compiler.ir.printer import print_program

BILLS = """\
customer,when,total,late_fee,joined
1,2024-02-01,10.5,0,x
2,2024-02-01,11.5,1,y
"""
DATA = """\
data:
  source: {kind: csv, path: rows.csv}
  key: id
  time: joined
  columns: {refund: {known: after_outcome}, late_fee: {known: after_outcome, type: int}}
  join:
    bills: {source: {kind: csv, path: bills.csv}, by: {id: customer}, columns: [total, late_fee]}
"""
SPLITS = "validate: {holdout: {kind: time_ordered}, folds: {kind: time_ordered}}\n"


@pytest.fixture
def joined(place):
    (place.root / "recipes" / "bills.csv").write_text(BILLS)
    return place


def data(place, old="", new=""):
    assert old in DATA
    place.write("", data=DATA.replace(old, new) + SPLITS)


def codes(place):
    return [(item.code, item.span.text[item.span.column - 1 :][: item.span.length]) for item in place.findings()]


def test_the_columns_of_both_tables_reach_the_models(joined):
    data(joined)
    program = joined.program()
    assert program.the(Join)[1] == Join(
        on=(("id", "customer"),),
        types=("int",),
        as_of=None,
        columns=(("total", "total"), ("late_fee", "late_fee")),
        how="left",
        times=("when",),
    )
    assert [node.name for node in program][:5] == ["source", "source.bills", "join.bills", "contract", "snapshot"]
    assert program.the(Matrix)[1].features == ("age", "paid", "total", "city=*")
    assert {column.name: column.type for column in program.the(Check)[1].columns}["total"] == "float"
    assert "join.bills: join <- source, source.bills" in print_program(program)


def test_times_are_matched(joined):
    data(joined, "by: {id: customer}", "by: {id: customer}, as_of: {time: when, within: 90d, known_after: 1d}")
    assert joined.program().the(Join)[1].as_of == AsOf(
        left="joined", right="when", within=7776000.0, known_after=86400.0
    )


def test_a_prefix_keeps_names_apart(joined):
    text = DATA.replace("columns: [total, late_fee]}", "prefix: bill_}").replace(
        "late_fee: {known", "bill_late_fee: {known"
    )
    joined.write("d: {op: drop, columns: [bill_when, bill_joined]}", data=text + SPLITS)
    assert dict(joined.program().the(Join)[1].columns) == {
        "when": "bill_when",
        "total": "bill_total",
        "late_fee": "bill_late_fee",
        "joined": "bill_joined",
    }


WRONG = {
    "a column that the rows do not have": ("{id: customer}", "{idd: customer}", [("unknown-column", "idd")]),
    "a column that the table does not have": ("{id: customer}", "{id: cust}", [("unknown-column", "id")]),
    "a column to add that it does not have": ("[total, late_fee]", "[totl, late_fee]", [("unknown-column", "totl")]),
    "types that cannot be compared": ("{id: customer}", "{city: customer}", [("join-types", "city")]),
    "matched by the target": ("{id: customer}", "{left: customer}", [("leak", "left")]),
    "matched by what comes later": ("{id: customer}", "{refund: customer}", [("leak", "refund")]),
    "a column twice": (
        "columns: [total, late_fee]}",
        "columns: [total, late_fee, joined]}",
        [("join-column-twice", "joined")],
    ),
    "columns twice, none listed": (", columns: [total, late_fee]}", "}", [("join-column-twice", "bills")]),
    "a time that it does not have": ("by: {id", "as_of: {time: wen}, by: {id", [("unknown-column", "wen")]),
    "a time that is none": ("by: {id", "as_of: {time: total}, by: {id", [("join-types", "total")]),
    "rows without a time": ("time: joined", "group: joined", [("join-needs-time", "as_of")]),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_word(joined, case):
    old, new, wanted = case
    text = DATA.replace(old, new)
    if new.startswith("group"):
        text = text.replace("by: {id", "as_of: {time: when}, by: {id")
    joined.write("", data=text + (SPLITS if "time: joined" in text else ""))
    assert codes(joined) == wanted


def test_a_leak_is_followed_through_two_derivations_and_a_join(joined):
    joined.write(
        "a: {op: derive, columns: {fee: late_fee * 2}}\nb: {op: derive, columns: {share: fee / age}}\nc: {op: drop, columns: fee}",
        data=DATA + SPLITS,
    )
    (found,) = joined.findings()
    assert found.headline == "step `a` uses column `late_fee`, which is known only after the outcome"
    assert [note.text for note in found.notes] == [
        "join `bills` adds `late_fee`",
        "step `b` makes `share` from `fee`",
        "`share` reaches the models as a feature",
    ]


def test_a_table_that_is_not_there(joined):
    (joined.root / "recipes" / "bills.csv").unlink()
    data(joined)
    with pytest.raises(DataError) as refused:
        joined.program()
    assert [item.code for item in refused.value.diagnostics] == ["source-missing"]
    assert refused.value.diagnostics[0].span.text.strip().startswith("bills:")


def test_tables_that_are_declared_need_not_be_there(joined):
    columns = "{id: {type: int}, left: {type: category, one_of: [yes, no]}, age: {type: int}, total: {type: float}, joined: {type: date}}"
    text = DATA.replace("{refund: {known: after_outcome}, late_fee: {known: after_outcome, type: int}}", columns)
    text = text.replace("[total, late_fee]", "[total]").replace("one_of: [yes, no]", 'one_of: ["yes", "no"]')
    joined.write("", encode=False, data=text + SPLITS)
    for name in ("rows.csv", "bills.csv"):
        (joined.root / "recipes" / name).unlink()
    assert joined.program().the(Matrix)[1].features == ("age", "total")


TARGET = 'objective: {task: binary_classification, target: big, target_is: "refund > 2", positive: true}\n'


def test_a_target_is_computed_from_what_is_known_later(place):
    place.write("", head="name: mini\n" + TARGET, data=place_data("where: paid > 0"))
    program = place.program()
    assert program.the(Population)[1] == Population(where="paid > 0", target=("big", "refund > 2"))
    assert program["snapshot"].schema["big"].dtype == pl.Boolean()
    assert program["snapshot"].schema["big"].role == "target"
    assert "big" not in program.the(Matrix)[1].features


def place_data(more=""):
    return (
        "data:\n  source: {kind: csv, path: rows.csv}\n  key: id\n  ignore: [joined, left]\n"
        f"  columns: {{refund: {{known: after_outcome}}}}\n  {more}\n"
    )


@pytest.mark.parametrize(
    ("head", "more", "wanted"),
    [
        (TARGET.replace("refund", "refnd"), "", [("unknown-column", "refnd")]),
        (TARGET.replace("refund > 2", "SUM(refund) > 2"), "", [("bad-expression", '"SUM(refund) > 2"')]),
        (TARGET.replace("refund > 2", "refund >"), "", [("bad-expression", '"refund >"')]),
        (TARGET.replace("target: big", "target: city"), "", [("contract-conflict", "city")]),
        (TARGET, "where: paid + 1", [("bad-expression", "paid + 1")]),
        (TARGET, "where: joined IS NULL", [("unknown-column", "joined")]),
        (TARGET.replace("positive: true", "positive: 3"), "", [("wrong-positive", "3")]),
    ],
)
def test_an_expression_that_is_wrong(place, head, more, wanted):
    place.write("", head="name: mini\n" + head, data=place_data(more))
    assert codes(place) == wanted
