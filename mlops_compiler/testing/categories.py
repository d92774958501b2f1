"""What kinds that take categories promise: levels teach them, unknown ones are scored, and storing changes no bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError, EngineError
from mlops_compiler.ir.task import has_classes
from mlops_compiler.models.form import TreeSum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.models.kind import FittedModel, Target
    from mlops_compiler.testing.subjects import Subject

LEVELS = (0, 40, 0, 3)
"""How many levels each column has; 0 of a number."""
_random = np.random.default_rng(2)
CATEGORY_ROWS = np.column_stack(
    [_random.normal(size=800), _random.integers(0, 40, 800), _random.normal(size=800), _random.integers(0, 3, 800)]
)
"""The design matrix, shape (800, 4): of its second column, twenty levels say much, in an order that none is in."""
_EFFECT = np.where(_random.permutation(40) < 20, -2.0, 2.0)
_value = CATEGORY_ROWS[:, 0] + _EFFECT[CATEGORY_ROWS[:, 1].astype(int)] + 0.3 * _random.normal(size=800)
CATEGORY_ROWS[::50, 1] = 40.0  # rare
CATEGORY_ROWS[7::50, 3] = 4.0  # missing
CATEGORY_ROWS.flags.writeable = False


def _target(task: str) -> Target:
    made: Target = 100 + 10 * _value
    if task == "multiclass_classification":
        made = np.digitize(_value, [-1.5, 0.0, 1.5]).astype(np.int64)
    if task == "binary_classification":
        made = (_value > 0).astype(np.int64)
    return made


def _taught(subject: Subject, levels: tuple[int, ...] = LEVELS) -> FittedModel:
    return subject.fit(CATEGORY_ROWS, _target(subject.task), categories=levels)


_DUMPED: dict[str, Mapping[str, bytes]] = {}


def _dumped(subject: Subject) -> Mapping[str, bytes]:
    if str(subject) not in _DUMPED:
        _DUMPED[str(subject)] = _taught(subject).dump()
    return _DUMPED[str(subject)]


class CategoryLaws:
    """The laws of categories; a part of those of kinds."""

    def test_levels_teach_it(self, subject: Subject) -> None:
        """`takes_categories` is true: it learns of each level by itself, whatever its number."""
        if not subject.kind.takes_categories:
            return
        y, found = _target(subject.task), _taught(subject).predict(CATEGORY_ROWS)
        if subject.task == "regression":
            assert ((found[:, 0] - y) ** 2).mean() / y.var() < 0.6
        else:
            assert (found.argmax(axis=1) == y).mean() > np.bincount(y).max() / len(y) + 0.1
        assert _taught(subject).dump() != _taught(subject, (0, 0, 0, 0)).dump()

    def test_a_row_with_levels_scores_the_same_alone_and_when_stored(self, subject: Subject) -> None:
        """Also one whose levels are rare, missing, or were never seen."""
        if not subject.kind.takes_categories:
            return
        model = _taught(subject)
        odd = np.array([[0.0, 40, 0, 3], [0.0, 41, 0, 4], [1.0, 3, 1, 3], [1.0, 41, 1, 0]])
        rows = np.vstack([CATEGORY_ROWS, odd])
        together = model.predict(rows)
        assert np.isfinite(together).all()
        assert all((model.predict(rows[at : at + 1]) == together[at]).all() for at in range(780, len(rows)))
        loaded = subject.kind.load(model.dump())
        assert (loaded.predict(rows) == together).all()
        assert loaded.dump() == model.dump() == _taught(subject).dump()

    def test_what_it_adds_up_is_what_it_answers(self, subject: Subject) -> None:
        """The form of a model with categories has them, too."""
        form = _taught(subject).form() if subject.kind.takes_categories else None
        if not isinstance(form, TreeSum) or subject.task == "multiclass_classification":
            return
        found = _taught(subject).predict(CATEGORY_ROWS)[:, -1]
        order = np.argsort(form.scores(CATEGORY_ROWS)[:, -1])
        assert (np.diff(found[order]) >= -1e-12).all()

    def test_a_column_without_a_use_for_levels_is_a_number(self, subject: Subject) -> None:
        """Where no column is a category, nothing changes."""
        if subject.kind.takes_categories and has_classes(subject.task):
            assert subject.fit(categories=(0,) * 6).dump() == subject.fitted.dump()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(which=st.integers(0, 9), place=st.integers(0, 10**6), byte=st.integers(0, 255))
    def test_a_flipped_byte_of_levels_is_refused_or_harmless(
        self, subject: Subject, which: int, place: int, byte: int
    ) -> None:
        """No file makes the scorer leave its sets of levels."""
        if not subject.kind.takes_categories or subject.task != subject.kind.tasks[0]:
            return
        files = _dumped(subject)
        name = sorted(files)[which % len(files)]
        content = bytearray(files[name])
        content[place % len(content)] = byte
        try:
            loaded = subject.kind.load({**files, name: bytes(content)})
            with np.errstate(all="ignore"):
                assert loaded.predict(np.zeros((2, 4))).shape[0] == 2
        except (EngineError, DataError):
            return

    def test_settings_that_count_no_levels_are_refused(self, subject: Subject) -> None:
        """How many levels are known is checked."""
        if not subject.kind.takes_categories or subject.task != subject.kind.tasks[0]:
            return
        files = _taught(subject).dump()
        if b"known" not in files["config.json"]:
            return  # it says so in another way
        for wrong in (b"[0, 999, 0, 3]", b"[0, -1, 0, 3]", b"[0, 41]", b'"many"'):
            told = files["config.json"].replace(b"[0, 41, 0, 3]", wrong)
            assert told != files["config.json"]
            with pytest.raises(EngineError) as caught:
                subject.kind.load({**files, "config.json": told})
            assert caught.value.diagnostics[0].code == "artifact-corrupt"
