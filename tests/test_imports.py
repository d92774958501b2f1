"""Heavy libraries are loaded where they are used: who asks what would happen does not wait for what would do it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {"ray", "torch", "sklearn", "lightgbm", "xgboost", "pandas", "pandera", "optuna", "altair"}
PROBE = """
import sys
from mlops_compiler.cli import main
code = main(sys.argv[1:])
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def loaded(folder, *words, **environment):
    """Run a command line in a process of its own; gives the packages that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("command", ["check", "plan", "runs", "status"])
def test_looking_loads_nothing_heavy(tmp_path, command):
    packages = loaded(tmp_path, command, "recipe=churn")
    assert "mlops_compiler" in packages
    assert packages & HEAVY == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.engine
def test_a_run_with_nothing_to_do_loads_no_engine(finished):
    packages = loaded(finished.root, "run", "recipe=small")
    assert packages & HEAVY == set()
