"""Hydra's own suite for launchers: it launches the jobs of any Hydra program."""

from __future__ import annotations

import pytest
from hydra import version
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.test_utils.launcher_common_tests import LauncherTestSuite

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("engine"),
    # Hydra's suite composes as Hydra 1.1 did, and says so.
    pytest.mark.filterwarnings("ignore::UserWarning:hydra"),
]


@pytest.fixture(autouse=True)
def as_hydra_was(monkeypatch):
    """Let Hydra behave as version 1.1, as its suite wants; commands of ours, run before, ask for 1.3."""
    monkeypatch.setattr(version.VersionBase.instance(), "version_base", version.Version("1.1"))


def test_hydra_finds_it():
    assert "RayLauncher" in {item.__name__ for item in Plugins.instance().discover(Launcher)}


@pytest.mark.parametrize(("launcher_name", "overrides"), [("ray", [])])
class TestAsHydraWants(LauncherTestSuite):
    """Every test of the suite."""
