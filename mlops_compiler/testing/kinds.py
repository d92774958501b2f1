"""What every kind of model promises, whichever it is, as tests to inherit.

```python
from mlops_compiler.testing.kinds import KindLaws
from mlops_compiler.testing.subjects import subjects

class TestMine(KindLaws):
    subjects = subjects(MINE, n_estimators=20)
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.domain import contains, grid, is_domain
from mlops_compiler.ir.task import has_classes, learns_from_target
from mlops_compiler.models.form import TreeSum
from mlops_compiler.testing.categories import CategoryLaws
from mlops_compiler.testing.rows import CLASSES, GROUPS, ROWS
from mlops_compiler.testing.storing import StoringLaws
from mlops_compiler.testing.training import TrainingLaws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.testing.subjects import Subject


class KindLaws(TrainingLaws, CategoryLaws, StoringLaws):
    """The laws; inherit from it, and give `subjects`."""

    subjects: ClassVar[Sequence[Subject]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test with each subject."""
        if "subject" in metafunc.fixturenames:
            metafunc.parametrize("subject", self.subjects, ids=str)

    # Scores

    def test_a_score_is_a_number_of_each_output(self, subject: Subject) -> None:
        """Probabilities are probabilities; values are finite."""
        found = subject.fitted.predict(ROWS)
        assert found.shape == (len(ROWS), subject.outputs)
        assert found.dtype == np.float64
        assert np.isfinite(found).all()
        if has_classes(subject.task):
            assert ((found >= 0) & (found <= 1)).all()
            assert found.sum(axis=1) == pytest.approx(1)

    def test_it_learns(self, subject: Subject) -> None:
        """A model does better than a constant, and a baseline does not."""
        y, found = subject.target, subject.fitted.predict(ROWS)
        if subject.task == "clustering":
            from sklearn.metrics import adjusted_rand_score

            better = adjusted_rand_score(GROUPS, found[:, 0]) > 0.9
        elif subject.task == "anomaly_detection":
            odd = subject.fitted.predict(np.vstack([ROWS, [[9.0, 9.0, 9.0, -9.0, 9.0, -9.0]]]))[:, 0]
            better = bool(odd[-1] > np.quantile(odd[:-1], 0.98))
        elif subject.task == "regression":
            better = ((found[:, 0] - y) ** 2).mean() / y.var() < 0.9
        else:
            better = (found.argmax(axis=1) == y).mean() > np.bincount(y.astype(int)).max() / len(y) + 0.03
        assert better != subject.kind.is_baseline

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(chosen=st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=40))
    def test_a_row_scores_the_same_whatever_is_beside_it(self, subject: Subject, chosen: list[int]) -> None:
        """Rows are scored one by one, to the last bit."""
        together = subject.fitted.predict(ROWS)
        assert (subject.fitted.predict(ROWS[chosen]) == together[chosen]).all()

    def test_a_row_scores_the_same_alone_and_among_thousands(self, subject: Subject) -> None:
        """No block of rows is scored in another way than one row."""
        together = subject.fitted.predict(np.tile(ROWS, (5, 1)))
        assert (together[:400] == together[400:800]).all()
        assert all((subject.fitted.predict(ROWS[index : index + 1]) == together[index]).all() for index in range(100))

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_memory_layout_changes_nothing(self, subject: Subject, order: str) -> None:
        """A matrix may come in any layout."""
        laid = np.array(ROWS, order=order)  # type: ignore[call-overload]
        assert (subject.fitted.predict(laid) == subject.fitted.predict(ROWS)).all()

    def test_no_rows_give_no_scores(self, subject: Subject) -> None:
        """Nothing in, nothing out."""
        assert subject.fitted.predict(np.empty((0, ROWS.shape[1]))).shape == (0, subject.outputs)

    def test_another_width_is_refused(self, subject: Subject) -> None:
        """A model knows its features."""
        if not subject.kind.is_baseline:
            with pytest.raises(DataError, match="fitted on 6 features"):
                subject.fitted.predict(np.zeros((1, 5)))

    def test_huge_values_are_scored_or_refused(self, subject: Subject) -> None:
        """No score is infinite or no number."""
        try:
            found = subject.fitted.predict(np.array([[1e308, -1e308] * 3]))
        except DataError as error:
            (told,) = error.diagnostics
            if told.code == "feature-too-large":
                return
            raise
        assert np.isfinite(found).all()

    # Fits

    def test_the_same_fit_gives_the_same_bytes(self, subject: Subject) -> None:
        """Seed, rows and parameters are all that a model is made of."""
        assert subject.fit().dump() == subject.fitted.dump()

    def test_threads_change_nothing(self, subject: Subject) -> None:
        """More cores give the same model, unless the kind says that its sums round otherwise."""
        if not subject.kind.rounds_by_threads:
            assert subject.fit(threads=2).dump() == subject.fitted.dump()

    def test_a_heavy_row_counts_more(self, subject: Subject) -> None:
        """Weights reach the fit: what weighs twenty times is answered more."""
        if not learns_from_target(subject.task):
            return
        y, elsewhere = subject.target, ROWS + 0.1
        if subject.kind.repeats_season:  # what it learns is for rows that no season came before
            elsewhere = np.full_like(ROWS, np.nan)
        heavy = y > np.median(y) if subject.task == "regression" else y == 1
        column = 0 if subject.task == "regression" else 1
        alike = subject.fit(weights=np.ones(len(y))).predict(elsewhere)[:, column]
        assert subject.fit(weights=np.where(heavy, 20.0, 1.0)).predict(elsewhere)[:, column].mean() > alike.mean()

    def test_nothing_is_written_to_the_rows(self, subject: Subject) -> None:
        """Rows are shared by all trials."""
        before = ROWS.copy(), subject.target.copy()
        subject.fit()
        assert (before[0] == ROWS).all()
        assert (before[1] == subject.target).all()

    def test_rows_may_be_sorted(self, subject: Subject) -> None:
        """What is held back is drawn, not taken from the end."""
        order = np.argsort(subject.target)
        assert subject.fit(ROWS[order], subject.target[order]).predict(ROWS).shape == (len(ROWS), subject.outputs)

    def test_a_handful_of_rows_is_enough(self, subject: Subject) -> None:
        """The smallest folds have some rows."""
        if not learns_from_target(subject.task):
            return
        X, y = np.arange(16.0).reshape(8, 2), np.array([0, 0, 1, 1, 2, 2, 3, 3])
        y = y % 2 if subject.task == "binary_classification" else y
        assert np.isfinite(subject.fit(X, y).predict(X)).all()

    def test_a_class_without_rows_is_refused(self, subject: Subject) -> None:
        """A classifier needs all classes."""
        if not has_classes(subject.task) or subject.kind.is_baseline:
            return
        with pytest.raises(DataError, match=f"no row of class 1: {subject.kind.name}"):
            subject.fit(ROWS, np.zeros(len(ROWS), dtype=np.int64))

    def test_one_row_of_a_class_is_enough(self, subject: Subject) -> None:
        """Rare classes can be very rare."""
        if not has_classes(subject.task):
            return
        y = subject.target.copy()
        y[y == 1] = 0
        y[7] = 1
        assert np.isfinite(subject.fit(ROWS, y).predict(ROWS)).all()

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_a_value_that_is_none_is_refused(self, subject: Subject, value: float) -> None:
        """There is nothing to learn from a target that is missing."""
        if subject.task != "regression" or subject.kind.is_baseline:
            return
        y = subject.target.copy()
        y[3] = value
        with pytest.raises(DataError, match="missing or infinite in 1 of 400 rows"):
            subject.fit(ROWS, y)

    def test_equal_values_are_learned(self, subject: Subject) -> None:
        """A target may be constant."""
        if subject.task == "regression" and not subject.kind.repeats_season:
            assert subject.fit(ROWS, np.full(len(ROWS), 3.0)).predict(ROWS) == pytest.approx(3.0, abs=0.6)

    def test_no_columns_are_refused(self, subject: Subject) -> None:
        """There is nothing to learn from."""
        if not subject.kind.is_baseline:
            with pytest.raises(DataError, match="no column"):
                subject.fit(np.empty((len(ROWS), 0)))

    def test_infinity_names_its_feature(self, subject: Subject) -> None:
        """What cannot be taken is told by its column."""
        if subject.kind.is_baseline:
            return
        X = ROWS.copy()
        X[3, 2] = np.inf
        for attempt in (lambda: subject.fit(X), lambda: subject.fitted.predict(X)):
            with pytest.raises(DataError, match="feature 2 is infinite in 1 of 400 rows"):
                attempt()

    def test_missing_values_are_taken_or_refused(self, subject: Subject) -> None:
        """`accepts_missing` is true."""
        X = ROWS.copy()
        X[5:9, 4] = np.nan
        if subject.kind.accepts_missing:
            model = subject.fit(X)
            assert (model.predict(X[5:6]) == model.predict(X)[5]).all()
            return
        for attempt in (lambda: subject.fit(X), lambda: subject.fitted.predict(X)):
            with pytest.raises(DataError, match=f"feature 4 is missing in 4 of 400 rows: {subject.kind.name}"):
                attempt()

    def test_it_explains_what_it_says(self, subject: Subject) -> None:
        """A kind that `explains` gives the form of its models, whose sums are what they answer by."""
        form = subject.fitted.form()
        assert (form is not None) == bool(subject.kind.explains)
        if form is None:
            return
        sums = form.scores(ROWS) if isinstance(form, TreeSum) else ROWS @ form.weights + form.intercept
        found, order = subject.fitted.predict(ROWS), np.argsort(sums[:, -1])
        assert np.isfinite(sums).all()
        if subject.outputs < CLASSES:  # of more classes, a sum is relative to the others'
            assert (np.diff(found[order, -1]) >= -1e-12).all()

    # Parameters

    def test_the_default_space_is_valid(self, subject: Subject) -> None:
        """Every point of the space that is searched by default is valid, the first trial among them."""
        space = subject.kind.parameters()
        assert set(subject.kind.defaults) == set(type(space).model_fields)
        for name, first in subject.kind.defaults.items():
            domain = getattr(space, name)
            assert contains(domain, first) if is_domain(domain) else domain == first
            for point in (first, *(grid(domain) if is_domain(domain) else ())):
                assert getattr(subject.kind.parameters.model_validate({name: point}), name) == point

    def test_the_portfolio_lies_in_the_default_space(self, subject: Subject) -> None:
        """Each further first point changes what is searched by default, and stays inside of it; no two are the same."""
        space = subject.kind.parameters()
        points = [{**subject.kind.defaults, **start} for start in ({}, *subject.kind.portfolio)]
        assert all(points.count(point) == 1 for point in points)
        for name, value in ((name, value) for start in subject.kind.portfolio for name, value in start.items()):
            assert is_domain(getattr(space, name)), name
            assert contains(getattr(space, name), value), name
