"""Sessions of the engine: the jobs of a sweep share one, and a program that only looks starts none."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from mlops_compiler.recipe.resources import Cluster
from mlops_compiler.runtime.engine import engine_kept, ray_session
import ray
seen = []
with engine_kept():
    for cpus in (1, 1, 2):
        with ray_session(Cluster(cpus=cpus)) as fresh:
            seen.append([fresh, ray.get_runtime_context().get_job_id(), ray.cluster_resources()["CPU"]])
        seen[-1].append(ray.is_initialized())
seen.append(ray.is_initialized())
print(json.dumps(seen))
"""


@pytest.mark.engine
def test_jobs_with_the_same_cluster_share_an_engine():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=os.environ)
    first, same, other, left = json.loads(done.stdout.splitlines()[-1])
    assert (first[0], first[2], first[3]) == (True, 1, True)
    assert (same[0], same[2]) == (False, 1)
    assert (other[0], other[2]) == (True, 2)
    assert left is False
