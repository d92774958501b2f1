"""An engine that is slow to start is started once more; what goes wrong is told as the engine's fault."""

from __future__ import annotations

import pytest
import ray

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.recipe.resources import Cluster
from mlops_compiler.runtime.engine import ray_session

SLOW = "The current node timed out during startup. This could happen because the raylet failed."


@pytest.fixture
def starts(monkeypatch):
    """Give the list of what each start does: raise something, or nothing; and the list of the starts made."""
    planned, made = [], []

    def init(**options):
        made.append(options["address"])
        if (error := planned.pop(0)) is not None:
            raise error

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    return planned, made


def test_one_that_is_slow_is_started_once_more(starts):
    planned, made = starts
    planned += [Exception(SLOW), None]  # Ray raises no kind of its own
    with ray_session(Cluster()) as own:
        assert own
    assert made == ["local", "local"]


@pytest.mark.parametrize(
    ("cluster", "errors", "headline"),
    [
        (Cluster(), [Exception(SLOW), Exception(SLOW)], "Ray did not start"),
        (Cluster(), [ValueError("no such port")], "Ray did not start"),
        (Cluster(address="auto"), [Exception(SLOW)], "no Ray cluster answers at `auto`"),
    ],
    ids=["slow twice", "wrong", "elsewhere"],
)
def test_what_does_not_start_is_told(starts, cluster, errors, headline):
    planned, made = starts
    planned += errors
    with pytest.raises(EngineError) as caught, ray_session(cluster):
        pass
    assert caught.value.diagnostics[0].headline == headline
    assert caught.value.diagnostics[0].code == "engine-unreachable"
    assert len(made) == len(errors)
