"""The source, its contract and the target must fit one another."""

from __future__ import annotations

import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.schema import Known, Role

OVERRIDES = {
    "a target that is not there": (
        ["objective.target=«leftt»"],
        "unknown-column",
        "did you mean `left`?",
    ),
    "a key that is not there": (["data.key=«idd»"], "unknown-column", "did you mean `id`?"),
    "an ignored column that is not there": (
        ["data.ignore=[joined, «citty»]"],
        "unknown-column",
        "did you mean `city`?",
    ),
    "a column of the contract that is not there": (
        ["+data.columns.«agee».type=int"],
        "unknown-column",
        "did you mean `age`?",
    ),
    "the target ignored": (["data.ignore=«[left]»"], "contract-conflict", None),
    "the key ignored": (["data.ignore=«[id]»"], "contract-conflict", None),
    "a target that may be missing": (["+data.columns.left=«{nullable: true}»"], "contract-conflict", None),
    "a range of texts": (["+data.columns.city=«{range: [0, 1]}»"], "contract-conflict", None),
    "a mean of texts": (["+data.columns.city={«mean»: [0, 1]}"], "contract-conflict", None),
    "a pattern of numbers": (["+data.columns.age={pattern: '«a+»'}"], "contract-conflict", None),
    "a pattern that is none": (["+data.columns.city={pattern: '«(a»'}"], "contract-conflict", None),
    "personal data that are not there": (
        ["+data.snapshot.personal=[«agee»]"],
        "unknown-column",
        "did you mean `age`?",
    ),
    "a look back without a time": (
        ["+data.history={«h»: {op: lag, columns: age}}"],
        "contract-conflict",
        "name it under `data.time`",
    ),
    "a look back at what is not there": (
        ["+data.history={h: {op: lag, columns: «agee»}}", "+data.time=joined", "data.ignore=[]"],
        "unknown-column",
        "did you mean `age`?",
    ),
    "a look back at texts": (
        ["+data.history={h: {op: lag, columns: «city»}}", "+data.time=joined", "data.ignore=[]"],
        "contract-conflict",
        None,
    ),
    "a look back that takes a name": (
        [
            "+data.history={h: {op: lag, columns: age}, «i»: {op: lag, columns: age}}",
            "+data.time=joined",
            "data.ignore=[]",
        ],
        "name-taken",
        None,
    ),
    "values of another kind": (["+data.columns.age.one_of=«['30', '40']»"], "contract-conflict", None),
    "numbers for texts": (["+data.columns.city.one_of=«[0, 1]»"], "contract-conflict", None),
    "truths for numbers": (["+data.columns.age.one_of=«[true]»"], "contract-conflict", None),
    "a target of three values": (
        ["+data.columns.left.one_of=«['yes', 'no', maybe]»"],
        "contract-conflict",
        None,
    ),
    "a positive of another kind": (["objective.positive=«3»"], "wrong-positive", None),
    "a positive that is no text": (["objective.positive=«true»"], "wrong-positive", None),
    "a positive that is not allowed": (
        ["objective.positive=«yess»", "+data.columns.left.one_of=['yes', 'no']"],
        "wrong-positive",
        "did you mean `yes`?",
    ),
    "fewer trials than models": (["search.trials=«1»", "+models.b.kind=prior"], "too-few-trials", "at least 2"),
}


@pytest.mark.parametrize("case", OVERRIDES.values(), ids=OVERRIDES)
def test_is_said_where_it_is_wrong(place, marked, case):
    overrides, code, help_text = case
    token, (_, column, length) = marked(overrides[0])
    (found,) = place.findings(token, *overrides[1:])
    assert found.code == code
    assert found.span.place == f"command line: {token}"
    if code != "unknown-column" or ".columns." not in token:
        assert (found.span.column, found.span.length) == (column, length)
    assert (help_text or "") in (found.help or "")


def test_the_contract_is_blamed_in_the_file(place, marked):
    text, where = marked(
        place.write(data="data:\n  source: {kind: csv, path: rows.csv}\n  columns: {«agee»: {type: int}}\n")
    )
    (place.root / "recipes" / "mini.yaml").write_text(text)
    (found,) = place.findings()
    assert (found.code, found.help) == ("unknown-column", "did you mean `age`?")
    assert (found.span.line, found.span.column, found.span.length) == where


def test_all_that_is_wrong_with_the_source_is_said_at_once(place):
    found = place.findings(
        "+data.columns.agee.type=int", "data.key=idd", "objective.positive=3", "+data.columns.city.range=[0, 1]"
    )
    assert sorted(item.code for item in found) == [
        "contract-conflict",
        "unknown-column",
        "unknown-column",
        "wrong-positive",
    ]


def test_steps_are_not_blamed_for_a_source_that_is_wrong(place):
    place.write("s: {op: log1p, columns: idd}")
    assert [item.span.place for item in place.findings("data.key=idd")] == ["command line: data.key=idd"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(None, "source-missing", id="missing"),
        pytest.param("", "source-empty", id="empty"),
        pytest.param("id,age,age\n1,2,3\n", "repeated-column", id="a column twice"),
    ],
)
def test_a_source_that_cannot_be_read_is_blamed_where_it_is_named(place, content, code):
    path = place.root / "recipes" / "rows.csv"
    path.unlink() if content is None else path.write_text(content)
    (found,) = place.findings()
    assert (found.code, found.span.text) == (code, "  source: {kind: csv, path: rows.csv}")


def test_no_row_is_read(place):
    path = place.root / "recipes" / "rows.csv"
    path.write_text(path.read_text() + "3,not a number,c,never,1,y,perhaps\n")
    assert place.program("+data.columns.age.type=int")["matrix"].op.features == ("age", "paid", "city=*")


@pytest.mark.parametrize(
    ("prepare", "code", "words"),
    [
        pytest.param("s: {op: drop, columns: all}", "no-features", "no column is left", id="nothing"),
    ],
)
def test_the_matrix_holds_numbers(place, prepare, code, words):
    place.write(prepare, encode=False)
    (found,) = place.findings("+models.linear.kind=logistic_regression")
    assert found.code == code
    assert words in found.headline


def test_a_column_with_a_star_is_refused(place):
    path = place.root / "recipes" / "rows.csv"
    path.write_text(path.read_text().replace("paid", "paid*"))
    assert [item.code for item in place.findings()] == ["starred-name"]
    assert place.program("data.ignore=[joined, 'paid*']")


def test_whole_numbers_may_be_the_values_of_fractions(place):
    assert place.program("+data.columns.paid={type: float, one_of: [1, 2]}")["contract"].op.columns[3].one_of == (1, 2)


def test_columns_get_their_roles(place):
    schema = place.program()["snapshot"].schema
    assert {column.name: column.role for column in schema} == {
        "id": Role.KEY,
        "age": Role.FEATURE,
        "city": Role.FEATURE,
        "paid": Role.FEATURE,
        "refund": Role.IGNORED,
        "left": Role.TARGET,
    }
    assert {column.name for column in schema if column.known is Known.AFTER_OUTCOME} == {"refund", "left"}


def test_a_parquet_source_is_analysed_alike(place):
    import polars as pl

    rows = pl.read_csv(place.root / "recipes" / "rows.csv")
    rows.write_parquet(place.root / "recipes" / "rows.parquet")
    wanted = place.program()["matrix"].schema
    assert place.program("data.source={kind: parquet, path: rows.parquet}")["matrix"].schema == wanted


def test_a_type_that_recipes_do_not_know_needs_one_of_theirs(place):
    import polars as pl

    rows = pl.read_csv(place.root / "recipes" / "rows.csv").with_columns(age=pl.lit([1, 2]))
    rows.write_parquet(place.root / "recipes" / "rows.parquet")
    found = place.findings("data.source={kind: parquet, path: rows.parquet}")
    assert [item.code for item in found] == ["contract-conflict"]
    assert not isinstance(found[0], DataError)
