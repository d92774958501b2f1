"""A feature that comes from what is known only after the outcome is found however it comes there."""

from __future__ import annotations

import pytest

from mlops_compiler.diagnostics import render_text
from mlops_compiler.ir.ops.preparation import Matrix, Project


def told(place, prepare, **more):
    place.write(prepare, **more)
    return render_text(place.findings())


def test_two_derivations_are_told_step_by_step(place):
    said = told(
        place,
        "net: {op: derive, columns: {gain: paid - refund}}\n"
        "rate: {op: derive, columns: {per_year: gain / age}}\n"
        "gone: {op: drop, columns: gain}\n"
        "scale: {op: standardize, columns: numeric}",
    )
    assert "step `net` uses column `refund`, which is known only after the outcome" in said
    assert "9 |   net: {op: derive, columns: {gain: paid - refund}}\n" in said
    assert "  |                                            ^^^^^^\n" in said
    assert "note: step `rate` makes `per_year` from `gain`" in said
    assert "note: `per_year` reaches the models as a feature" in said


def test_each_column_that_leaks_is_told_once(place):
    place.write(
        "net: {op: derive, columns: {gain: paid - refund}}\n"
        "two: {op: derive, columns: {double: gain * 2, lost: \"left = 'yes'\"}}"
    )
    found = place.findings()
    assert [item.headline for item in found] == [
        "step `net` uses column `refund`, which is known only after the outcome",
        "step `two` uses column `left`, which is the target",
    ]
    assert found[0].notes[-1].text == "`gain` reaches the models as a feature, and so does 1 more"


def test_an_encoding_does_not_hide_it(place):
    said = told(
        place,
        "word: {op: derive, columns: {why: \"CASE WHEN refund > 2 THEN 'x' ELSE 'y' END\"}}\n"
        "more: {op: one_hot, columns: why}",
    )
    assert "step `word` uses column `refund`" in said
    assert "step `more` makes `why=*` from `why`" in said


def test_what_reaches_no_feature_is_no_leak(place):
    place.write(
        "net: {op: derive, columns: {gain: paid - refund}}\n"
        "other: {op: derive, columns: {gain: age * 2}}\n"
        "late: {op: derive, columns: {seen: refund + 1}}\n"
        "gone: {op: drop, columns: seen}"
    )
    program = place.program()
    assert "gain" in program.the(Matrix)[1].features
    assert "seen" not in program.the(Matrix)[1].features


def test_what_reaches_no_feature_is_not_read_at_all(place):
    from mlops_compiler.passes.manager import optimise

    place.write("late: {op: derive, columns: {seen: refund + 1}}\ngone: {op: drop, columns: seen}")
    assert "refund" not in optimise(place.program()).the(Project)[1].columns


@pytest.mark.parametrize("where", ["refund > 2", "gain > 0"])
def test_rows_are_not_chosen_by_their_outcome(place, where):
    place.write(
        "net: {op: derive, columns: {gain: paid - refund}}\n"
        f"keep: {{op: filter, where: {where}}}\n"
        "gone: {op: drop, columns: gain}"
    )
    (found,) = place.findings()
    assert found.code == "leak"
    assert found.headline.startswith("step `keep` chooses rows by column")
