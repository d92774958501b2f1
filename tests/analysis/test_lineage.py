"""Every column is followed through every step."""

from __future__ import annotations

from mlops_compiler.analysis.lineage import Touch, lineage

STEPS = (
    "fill: {op: impute, columns: age, with: 0}\n"
    "rate: {op: derive, columns: {per_year: paid / age, age: age + 1}}\n"
    "keep: {op: filter, where: paid > 0}\n"
    "gone: {op: drop, columns: paid}"
)


def trails(place, prepare=STEPS):
    place.write(prepare)
    found = lineage(place.program())
    return found, {trail.column: trail for trail in found.trails}


def test_what_each_step_does(place):
    found, by_name = trails(place)
    assert found.steps == (
        ("fill", "impute"),
        ("rate", "derive"),
        ("keep", "filter"),
        ("gone", "drop"),
        ("encode", "one_hot"),
    )
    assert by_name["age"].touches == (
        Touch(step=0, doing="changes"),
        Touch(step=1, doing="changes", parents=("age",)),
    )
    assert by_name["per_year"].touches == (Touch(step=1, doing="makes", parents=("age", "paid")),)
    assert [(touch.step, touch.doing) for touch in by_name["paid"].touches] == [
        (1, "reads"),
        (2, "reads"),
        (3, "removes"),
    ]


def test_what_reaches_the_models_and_from_where(place):
    _, by_name = trails(place)
    assert by_name["per_year"].sources == ("age", "paid")
    assert by_name["per_year"].is_made
    assert by_name["per_year"].first == 1
    assert (by_name["city"].feature, by_name["city"].sources) == ("city=*", ("city",))
    assert (by_name["paid"].feature, by_name["paid"].removed) == (None, 3)
    assert (by_name["id"].role, by_name["id"].feature) == ("key", None)
    assert (by_name["left"].role, by_name["left"].touches) == ("target", ())


def test_without_steps(place):
    place.write(
        "", encode=False, data="data:\n  source: {kind: csv, path: rows.csv}\n  key: id\n  ignore: [city, joined]\n"
    )
    found = lineage(place.program())
    assert found.steps == ()
    assert {trail.column: trail.feature for trail in found.trails}["age"] == "age"
