"""What kinds promise of how they learn: what a column may push, what they tell of steps, that a fit may be left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.checkpointing import Checkpointing
from mlops_compiler.models.history import POINTS
from mlops_compiler.models.resumable import ResumableKind
from mlops_compiler.testing.rows import ROWS

if TYPE_CHECKING:
    from mlops_compiler.testing.subjects import Subject


class TrainingLaws:
    """The laws of learning; a part of those of kinds."""

    def test_a_history_tells_each_step(self, subject: Subject) -> None:
        """What a fit tells of its steps is whole, and what is kept of it is bounded."""
        history = subject.fitted.history
        if history is None:
            return
        told = json.loads(json.dumps(history.to_json(), allow_nan=False))
        assert 1 <= history.best <= told["count"] == len(history.training)
        assert len(told["steps"]) <= POINTS
        series = [told[name] for name in ("training", "validation", "learning_rate") if name in told]
        assert all(len(values) == len(told["steps"]) for values in series)

    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_monotone_column_pushes_one_way(self, subject: Subject, sign: int) -> None:
        """`takes_monotone` is true: a score only rises, or only falls, with the column, whatever the others."""
        if not subject.kind.takes_monotone or subject.task not in ("binary_classification", "regression"):
            return
        held = subject.fit(monotone=(sign, 0, 0, 0, 0, 0))
        along = np.linspace(-3.0, 3.0, 41)
        for row in ROWS[:10]:
            rows = np.tile(row, (len(along), 1))
            rows[:, 0] = along
            assert (sign * np.diff(held.predict(rows)[:, -1]) >= -1e-9).all()
        assert held.dump() != subject.fitted.dump()

    def test_a_fit_that_is_left_goes_on_to_the_same_bits(self, subject: Subject) -> None:
        """Of a `ResumableKind`: a fit that is taken up again at each step comes to what one in a single go does."""
        if not isinstance(subject.kind, ResumableKind):
            return
        kept: list[bytes] = []
        whole, end = subject.resume(Checkpointing(keep=kept.append, every=0))
        assert whole.dump() == subject.fitted.dump()
        assert len(kept) > 1
        for start in kept:
            model, again = subject.resume(Checkpointing(start=start))
            assert (model.dump(), again) == (whole.dump(), end)
        _, paused = subject.resume(Checkpointing(until=1))
        assert paused == kept[0]
        with pytest.raises(EngineError) as caught:
            subject.resume(Checkpointing(start=kept[0][: len(kept[0]) // 2]))
        assert caught.value.diagnostics[0].code == "artifact-corrupt"
