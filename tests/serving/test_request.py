"""The request contract: typed rows, or everything that is wrong with them."""

from __future__ import annotations

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.serving.refusal import MAX_BYTES, RequestRefused
from mlops_compiler.serving.request import RequestContract


def one(kind, **rules):
    field = {"name": "x", "type": kind, "nullable": False, "range": None, "one_of": None, "required": True}
    return RequestContract({"key": "id", "request": [field | rules]})


def refusal(contract, value):
    with pytest.raises(RequestRefused) as refused:
        contract.take(value)
    return refused.value


@pytest.mark.parametrize(
    ("kind", "text", "typed"),
    [
        pytest.param("int", "5", 5, id="int"),
        pytest.param("float", "5", 5.0, id="an int will do for a float"),
        pytest.param("float", "0.1", 0.1, id="float"),
        pytest.param("bool", "true", True, id="bool"),
        pytest.param("text", '"5"', "5", id="text"),
        pytest.param("int", "-9223372036854775808", -(2**63), id="smallest int"),
    ],
)
def test_types_a_value(kind, text, typed):
    rows = one(kind).read(b'{"x": %s}' % text.encode())
    assert rows.single
    assert rows.frame["x"].to_list() == [typed]
    assert type(rows.frame["x"][0]) is type(typed)


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        pytest.param("int", '"5"', "wrong-type", id="a text is no int"),
        pytest.param("int", "true", "wrong-type", id="true is no int"),
        pytest.param("int", "5.0", "wrong-type", id="a float is no int"),
        pytest.param("int", "9223372036854775808", "out-of-range", id="int of 65 bits"),
        pytest.param("int", "1" + "0" * 30, "out-of-range", id="int of 100 bits"),
        pytest.param("float", "true", "wrong-type", id="true is no float"),
        pytest.param("bool", "1", "wrong-type", id="1 is no bool"),
        pytest.param("text", "5", "wrong-type", id="a number is no text"),
        pytest.param("text", "{}", "wrong-type", id="an object is no text"),
        pytest.param("text", "null", "null", id="null"),
        pytest.param("date", '"2024-02-30"', "wrong-type", id="no such day"),
        pytest.param("date", '"20240229"', "wrong-type", id="another way to write a day"),
        pytest.param("datetime", '"2024-02-29T12:00:00Z"', "wrong-type", id="a time with offset"),
    ],
)
def test_refuses_a_value(kind, text, code):
    with pytest.raises(RequestRefused) as refused:
        one(kind).read(b'{"x": %s}' % text.encode())
    (fault,) = refused.value.faults
    assert (refused.value.status, fault.code, fault.row, fault.field) == (422, code, 0, "x")


def test_reads_days_and_times():
    assert one("date").take({"x": "2024-02-29"}).frame["x"].dtype == pl.Date
    assert one("datetime").take({"x": "2024-02-29T12:30:00.5"}).frame["x"].dtype == pl.Datetime("us")


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"x": 1e999}', b"\xff", b"[" * 3000], ids=repr)
def test_refuses_what_is_no_json(body):
    with pytest.raises(RequestRefused) as refused:
        one("float").read(body)
    assert (refused.value.status, refused.value.code) == (400, "not-json")


@pytest.mark.parametrize("value", [[], 5, "x", None, True], ids=repr)
def test_refuses_json_that_holds_no_row(value):
    assert refusal(one("int"), value).status == 422


def test_names_every_fault_of_every_row(predictor, example):
    contract = RequestContract(predictor.manifest)
    bad = {"tenur": 5, "charges": "x", "contract": "montly", "senior": 1}
    faults = refusal(contract, [example, bad, 7, example | {"tenure": 101}]).faults
    assert [(fault.row, fault.field, fault.code) for fault in faults] == [
        (1, "tenure", "missing-field"),
        (1, "charges", "wrong-type"),
        (1, "contract", "not-one-of"),
        (1, "senior", "wrong-type"),
        (1, "tenur", "unknown-field"),
        (2, None, "wrong-type"),
        (3, "tenure", "out-of-range"),
    ]
    assert faults[2].help == "did you mean `monthly`?"
    assert faults[4].help == "did you mean `tenure`?"
    assert faults[6].expected == "between 0 and 100"


def test_a_nullable_field_may_be_null_or_absent_where_it_is_not_required(predictor, example):
    contract = RequestContract(predictor.manifest)
    absent = {name: value for name, value in example.items() if name != "charges"}
    assert contract.take([example | {"charges": None}, absent]).frame["charges"].to_list() == [None, None]


@pytest.mark.parametrize("value", ["12a", "a1", "", "1\n"])
def test_a_text_matches_its_pattern_as_a_whole(value):
    contract = one("text", pattern="[0-9]+")
    assert contract.take({"x": "12"}).frame["x"].to_list() == ["12"]
    (fault,) = refusal(contract, {"x": value}).faults
    assert (fault.code, fault.expected) == ("no-match", "a text that matches [0-9]+")


def test_the_key_is_kept_aside(predictor, example):
    rows = RequestContract(predictor.manifest).take([example, example | {"customer": "7590-VHVEG"}])
    assert rows.keys == {1: "7590-VHVEG"}
    assert "customer" not in rows.frame.columns
    assert refusal(RequestContract(predictor.manifest), example | {"customer": [1]}).faults[0].field == "customer"


def test_columns_of_the_data_that_the_release_does_not_use_may_be_sent(predictor, example):
    contract = RequestContract(predictor.manifest | {"unused": ["phone"]})
    assert contract.take(example | {"phone": 1}).frame.equals(contract.take(example).frame)
    assert refusal(contract, example | {"phnoe": 1}).faults[0].code == "unknown-field"


def test_limits_rows_and_bytes():
    assert refusal(one("int"), [{"x": 1}] * 10_001).status == 413
    with pytest.raises(RequestRefused) as refused:
        one("int").read(b" " * (MAX_BYTES + 1))
    assert refused.value.status == 413


def test_lists_at_most_a_thousand_faults():
    body = refusal(one("int"), [{}] * 3000).to_json()
    assert len(body["faults"]) == 1000
    assert body["faults_in_all"] == 3000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=json_values, kind=st.sampled_from(["int", "float", "bool", "text", "date", "datetime"]))
def test_any_value_is_typed_or_refused(value, kind):
    contract = one(kind)
    try:
        rows = contract.take([{"x": value}])
    except RequestRefused as refused:
        assert orjson.dumps(refused.to_json())  # noqa: PT017 - the other outcome
    else:
        assert rows.frame.schema == contract.schema
        assert rows.frame.height == 1
