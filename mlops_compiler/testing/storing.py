"""What kinds promise of what they store: that it is the model, that damage is told, that scoring needs numpy alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError, EngineError
from mlops_compiler.testing.rows import ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.testing.subjects import Subject

_SCORE = """
import json, pathlib, sys
import numpy as np
from mlops_compiler.models.registry import MODELS
files = {path.name: path.read_bytes() for path in pathlib.Path(sys.argv[1]).iterdir()}
MODELS[sys.argv[2]].load(files).predict(np.zeros((1, 6)))
print(json.dumps([name for name in ("torch", "sklearn", "scipy", "lightgbm", "xgboost") if name in sys.modules]))
"""


class StoringLaws:
    """The laws of storing; a part of those of kinds."""

    def test_a_loaded_model_scores_the_same_bits(self, subject: Subject) -> None:
        """What is stored is the model."""
        loaded = subject.kind.load(subject.fitted.dump())
        assert (loaded.predict(ROWS) == subject.fitted.predict(ROWS)).all()
        assert loaded.dump() == subject.fitted.dump()

    def test_a_damaged_file_is_refused(self, subject: Subject) -> None:
        """A file that is missing, cut short or something else is told as such; nothing in it runs."""
        files = subject.fitted.dump()
        for name, content in files.items():
            rest = {other: kept for other, kept in files.items() if other != name}
            for damage in ({}, {name: content[: len(content) // 2]}, {name: b"\x80\x04cos\nsystem\n(S'true'\ntR."}):
                with pytest.raises(EngineError) as caught:
                    subject.kind.load({**rest, **damage})
                assert caught.value.diagnostics[0].code == "artifact-corrupt"

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(which=st.integers(0, 9), place=st.integers(0, 10**6), byte=st.integers(0, 255))
    def test_a_flipped_byte_is_refused_or_harmless(self, subject: Subject, which: int, place: int, byte: int) -> None:
        """No file makes the scorer leave its arrays, or never end."""
        files = subject.fitted.dump()
        name = sorted(files)[which % len(files)]
        content = bytearray(files[name])
        content[place % min(len(content), 3000)] = byte
        try:
            loaded = subject.kind.load({**files, name: bytes(content)})
            with np.errstate(all="ignore"):
                assert loaded.predict(np.zeros((2, 6))).shape[0] == 2
        except (EngineError, DataError):
            return

    def test_scoring_one_row_loads_no_library_that_fits(self, subject: Subject, tmp_path: Path) -> None:
        """A replica starts fast: it needs numpy alone."""
        if subject.task != subject.kind.tasks[0]:
            return
        for name, content in subject.fitted.dump().items():
            (tmp_path / name).write_bytes(content)
        words = [sys.executable, "-c", _SCORE, str(tmp_path), subject.kind.name]
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own text
        assert (json.loads(done.stdout or "null"), done.stderr) == ([], "")
