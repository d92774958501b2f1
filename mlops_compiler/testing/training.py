"""What kinds that learn in steps promise: what they tell of them, and that a fit may be left after any."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.checkpointing import Checkpointing
from mlops_compiler.models.history import POINTS

if TYPE_CHECKING:
    from mlops_compiler.testing.subjects import Subject


class TrainingLaws:
    """The laws of training; a part of those of kinds."""

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

    def test_a_fit_that_is_left_goes_on_to_the_same_bits(self, subject: Subject) -> None:
        """`resumable` is true: a fit that is taken up again at each step comes to what one in a single go does."""
        if not subject.kind.resumable:
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
