"""What a model is asked beside its parameters reaches its fits, and is part of what its trials are named by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.race import Race
from mlops_compiler.backends.search.resumed import Keeping
from mlops_compiler.backends.search.trial import TrialSpec, fit_and_score
from mlops_compiler.backends.stages.folds import Fold
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.wishes import balanced
from mlops_compiler.store.scratch import FolderScratch
from mlops_compiler.testing.rows import ROWS, target_of
from tests.search.conftest import BOOSTING, FOLDS, search_of

LABELS = target_of("binary_classification")
NAMES = tuple("abcdef")


def proposed(candidate):
    race = Race(search_of([candidate]), folds=FOLDS, greater_is_better=True, context=lambda _point: "rows")
    return race.propose()


@pytest.mark.parametrize("changes", [{"imbalance": "balanced"}, {"monotone": (("b", "decreasing"),)}], ids=str)
def test_they_name_the_trials(changes):
    plain, asked = proposed(BOOSTING), proposed(replace(BOOSTING, **changes))
    assert plain.parameters == asked.parameters
    assert plain.fingerprint != asked.fingerprint


def test_they_reach_the_fit(tmp_path):
    asked = replace(BOOSTING, imbalance="balanced", monotone=(("b", "decreasing"), ("dropped", "increasing")))
    trial = proposed(asked)
    trial.parameters = {**MODELS[asked.kind].defaults, "max_iter": 10}
    spec = TrialSpec.of(trial, search_of([asked]), classes=2)
    fold = Fold(X=ROWS, y=LABELS, weights=None, X_held=ROWS[:50], y_held=LABELS[:50], features=NAMES)
    options = FitOptions(
        seed=seed_of(spec.seed, "fit", spec.kind), weights=balanced(LABELS, None), monotone=(0, -1, 0, 0, 0, 0)
    )
    direct = MODELS[asked.kind].fit(ROWS, LABELS, parameters=trial.parameters, options=options)
    keeping = Keeping(scratch=FolderScratch(tmp_path), name="fold")
    answers, _, model = fit_and_score(spec, fold, "cpu", keeping)
    assert model.dump() == direct.dump()
    assert (answers == direct.predict(ROWS[:50])[:, 1]).all()
    assert np.ptp(answers) > 0
