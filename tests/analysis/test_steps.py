"""What is wrong with a step is said with its code, at the narrowest place, before any row is read."""

from __future__ import annotations

import pytest

CASES = {
    "a column that is not there": (
        "s: {op: log1p, columns: «agee»}",
        "unknown-column",
        "did you mean `age`?",
    ),
    "one of several": ("s: {op: log1p, columns: [age, «paidd»]}", "unknown-column", "did you mean `paid`?"),
    "in an exception": (
        "s: {op: drop, columns: {all_except: [age, «citty»]}}",
        "unknown-column",
        "did you mean `city`?",
    ),
    "in an expression": (
        "s: {op: derive, columns: {z: age + «payd» * 2}}",
        "unknown-column",
        "did you mean `paid`?",
    ),
    "in a filter": ("s: {op: filter, where: «agge» > 1}", "unknown-column", "did you mean `age`?"),
    "nothing like it": ("s: {op: drop, columns: «zzz»}", "unknown-column", "those are: `id`, `age`"),
    "a misspelt group": ("s: {op: drop, columns: «numerical»}", "unknown-column", "those are: `id`, `age`"),
    "a column dropped before": (
        "a: {op: drop, columns: paid}\nb: {op: log1p, columns: «paid»}",
        "dropped-column",
        "move `b` before `a`",
    ),
    "a column encoded before": (
        "a: {op: one_hot, columns: city}\nb: {op: one_hot, columns: «city»}",
        "dropped-column",
        "move `b` before `a`",
    ),
    "a column ignored": ("s: {op: drop, columns: «joined»}", "ignored-column", "remove it from one of the two"),
    "a group without members": ("s: {op: standardize, columns: «temporal»}", "empty-selection", "remove the step"),
    "a pattern without matches": ("s: {op: standardize, columns: «/^x_/»}", "empty-selection", "remove the step"),
    "a pattern that is none": ("s: {op: drop, columns: «/(/»}", "bad-expression", None),
    "log1p of texts": ("s: {op: log1p, columns: «city»}", "wrong-column-type", "`cast` it first"),
    "standardize texts": ("s: {op: standardize, columns: «city»}", "wrong-column-type", "`cast` it first"),
    "the mean of texts": ("s: {op: impute, columns: «city», with: mean}", "wrong-column-type", "`cast` it first"),
    "a number into texts": ("s: {op: impute, columns: city, with: «0»}", "wrong-column-type", "`cast` it first"),
    "a text into numbers": ("s: {op: impute, columns: age, with: «none»}", "wrong-column-type", "`cast` it first"),
    "the mode of dates": (
        "a: {op: cast, columns: city, to: date}\nb: {op: impute, columns: «city», with: mode}",
        "wrong-column-type",
        "`cast` it first",
    ),
    "the target dropped": ("s: {op: drop, columns: «left»}", "leak", "remove the column"),
    "the target encoded": ("s: {op: one_hot, columns: [city, «left»]}", "leak", "remove the column"),
    "the target in an expression": ("s: {op: derive, columns: {z: city || «left»}}", "leak", "remove the column"),
    "the target in a filter": ("s: {op: filter, where: «left» = 'yes'}", "leak", "choose rows by"),
    "the target overwritten": ("s: {op: derive, columns: {«left»: age}}", "leak", "remove the column"),
    "known after the outcome": ("s: {op: standardize, columns: «refund»}", "leak", "remove the column"),
    "known after, in an expression": ("s: {op: derive, columns: {z: paid - «refund»}}", "leak", "remove the column"),
    "the key": ("s: {op: standardize, columns: «id»}", "key-as-feature", "remove it"),
    "an aggregate": ("s: {op: derive, columns: {z: «age - AVG(age)»}}", "not-row-wise", "no SUM, AVG"),
    "a count": ("s: {op: derive, columns: {z: «COUNT(*)»}}", "not-row-wise", "no SUM, AVG"),
    "a window": (
        "s: {op: derive, columns: {z: «RANK() OVER (ORDER BY age)»}}",
        "not-row-wise",
        "no SUM, AVG",
    ),
    "an aggregate in a filter": ("s: {op: filter, where: «age > AVG(age)»}", "not-row-wise", "no SUM, AVG"),
    "no SQL": ("s: {op: derive, columns: {z: «age +»}}", "bad-expression", "expressions are SQL"),
    "a query": ("s: {op: derive, columns: {z: «age IN (SELECT 1)»}}", "bad-expression", "expressions are SQL"),
    "types that do not fit": ("s: {op: derive, columns: {z: «city * 2»}}", "bad-expression", "expressions are SQL"),
    "a filter that is no truth": ("s: {op: filter, where: «age + 1»}", "bad-expression", "expressions are SQL"),
    "a name of an indicator": (
        "s: {op: one_hot, columns: city}\nt: {op: derive, columns: {«city=a»: age}}",
        "indicator-name",
        "`column=level`",
    ),
    "a group that is filled": (
        "s: {op: impute, columns: [age, paid], with: mean, by: «paid»}",
        "group-conflict",
        "that it does not fill",
    ),
    "the mean by a column known after": (
        "s: {op: impute, columns: age, with: mean, by: «refund»}",
        "leak",
        None,
    ),
    "nothing to expect from": (
        "d: {op: drop, columns: paid}\ns: {op: impute, columns: age, with: «model»}",
        "nothing-to-learn",
        "name some under `using`",
    ),
    "a ratio of texts": ("s: {op: ratio, columns: {z: [age, «city»]}}", "wrong-column-type", "`cast` it first"),
    "a ratio of what is not there": ("s: {op: ratio, columns: {z: [age, «paidd»]}}", "unknown-column", "`paid`?"),
    "a cross of what is not there": ("s: {op: cross, columns: {z: [city, «citty»]}}", "unknown-column", "`city`?"),
    "parts of what is no date": ("s: {op: date_parts, columns: «city»}", "wrong-column-type", "`cast` it first"),
    "the hour of a day": (
        "a: {op: cast, columns: city, to: date}\nb: {op: date_parts, columns: «city», parts: [hour]}",
        "wrong-column-type",
        None,
    ),
    "counts of numbers": ("s: {op: text_counts, columns: «age»}", "wrong-column-type", "`cast` it first"),
    "topics of numbers": ("s: {op: text_topics, columns: «age»}", "wrong-column-type", "`cast` it first"),
    "summaries of texts": (
        "s: {op: group_aggregate, columns: «city», by: age}",
        "wrong-column-type",
        "`cast` it first",
    ),
    "groups by the target": ("s: {op: group_aggregate, columns: «age», by: left}", "leak", "remove the column"),
    "a column renamed to another": (
        "s: {op: rename, columns: {age: «paid»}}",
        "name-taken",
        "choose another name",
    ),
    "the target renamed": ("s: {op: rename, columns: {«left»: gone}}", "leak", None),
    "a name that another step took": (
        "a: {op: group_aggregate, columns: age, by: city}\nb: {op: group_aggregate, columns: «age», by: city}",
        "name-taken",
        "choose another name",
    ),
    "a query that is none": ("s: {op: sql, query: «age + 1»}", "bad-expression", "expressions are SQL"),
    "a query that drops rows": (
        "s: {op: sql, query: «SELECT * FROM rows WHERE age > 1»}",
        "bad-expression",
        None,
    ),
    "a query without a name": ("s: {op: sql, query: «SELECT age + 1 FROM rows»}", "bad-expression", None),
    "a query of what is not there": ("s: {op: sql, query: 'SELECT «agee» FROM rows'}", "unknown-column", "`age`?"),
    "a query over all rows": (
        "s: {op: sql, query: 'SELECT *, «SUM(age)» AS z FROM rows'}",
        "not-row-wise",
        "no SUM, AVG",
    ),
    "a query with the target": ("s: {op: sql, query: 'SELECT *, city || «left» AS z FROM rows'}", "leak", None),
    "a step after a selection": (
        "e: {op: one_hot, columns: city}\na: {op: drop_constant, columns: numeric}\n«b»: {op: standardize, columns: age}",
        "after-selection",
        "move `b` before `a`",
    ),
    "a selection of texts": ("s: {op: select_k_best, k: 1, columns: «city»}", "wrong-column-type", "`cast` it first"),
    "a name with a star": ("s: {op: derive, columns: {«z*»: age}}", "starred-name", "another name"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_is_said_where_it_is_wrong(place, marked, case):
    prepare, code, help_text = case
    encode = "one_hot" not in prepare
    text, where = marked(place.write(prepare, encode=encode))
    (place.root / "recipes" / "mini.yaml").write_text(text)
    found = place.findings()
    assert [item.code for item in found] == [code]
    assert found[0].span.source == "recipes/mini.yaml"
    assert (found[0].span.line, found[0].span.column, found[0].span.length) == where
    assert found[0].span.text == text.splitlines()[where[0] - 1]
    assert (help_text or "") in (found[0].help or "")


@pytest.mark.parametrize(
    ("override", "code"),
    [
        pytest.param("prepare.s.columns=[«agee»]", "unknown-column", id="a column"),
        pytest.param("prepare.s.columns=«temporal»", "empty-selection", id="a group"),
        pytest.param("+prepare.t={op: filter, where: '«COUNT(*) > 1»'}", "not-row-wise", id="a whole step"),
    ],
)
def test_is_said_on_the_command_line_where_it_came_from_there(place, marked, override, code):
    place.write("s: {op: log1p, columns: age}")
    token, (_, column, length) = marked(override)
    (found,) = place.findings(token)
    assert (found.code, found.span.place) == (code, f"command line: {token}")
    assert (found.span.column, found.span.length) == (column, length)


def test_all_that_is_wrong_is_said_at_once_in_the_order_written(place):
    place.write(
        "a: {op: log1p, columns: [agee, paid, citty]}\n"
        "b: {op: derive, columns: {y: SUM(age), z: left}}\n"
        "c: {op: standardize, columns: city}\n"
        "d: {op: drop, columns: nothing}"
    )
    assert [item.code for item in place.findings()] == [
        "unknown-column",
        "unknown-column",
        "not-row-wise",
        "leak",
        "wrong-column-type",
        "unknown-column",
    ]


def test_what_uses_a_column_that_would_have_been_made_is_not_blamed(place):
    place.write("a: {op: derive, columns: {z: age +}}\nb: {op: standardize, columns: [z, age]}")
    assert [item.code for item in place.findings()] == ["bad-expression"]


def test_a_right_column_beside_a_wrong_one_is_still_used(place):
    place.write("e: {op: one_hot, columns: [city, citty]}", encode=False)
    assert [item.code for item in place.findings()] == ["unknown-column"]


SELECTORS = {
    "numeric": ("age", "paid"),
    "categorical": ("city",),
    "all": ("age", "city", "paid"),
    "paid": ("paid",),
    "[paid, age]": ("paid", "age"),
    "[paid, numeric]": ("paid", "age"),
    "/a/": ("age", "paid"),
    "[/^a/, city]": ("age", "city"),
    "{all_except: [age, city]}": ("paid",),
}


@pytest.mark.parametrize("selector", SELECTORS)
def test_a_selector_finds_features_only(place, selector):
    place.write(f"s: {{op: cast, columns: {selector}, to: text}}\nt: {{op: one_hot, columns: all}}", encode=False)
    assert place.program()["prepare.s"].op.step.columns == SELECTORS[selector]
