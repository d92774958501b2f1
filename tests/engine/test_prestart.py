"""Workers that were started before they are asked for are those that the search and its actors get."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys, time
import psutil, ray
from mlops_compiler.backends.ray.prestart import prestart, search_runtime_env
from mlops_compiler.recipe.resources import Cluster
from mlops_compiler.runtime.engine import ray_session

def told():
    return {"started": psutil.Process().create_time(), "warm": "sklearn.ensemble" in sys.modules}

def search():
    from ray.tune.execution.class_cache import _ActorClassCache
    class Trial:
        def told(self):
            return told()
    actors = [_ActorClassCache().get(Trial).options(num_cpus=1).remote() for _ in range(2)]
    return [told(), *ray.get([actor.told.remote() for actor in actors])]

def workers():
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            if "ray::IDLE" in " ".join(process.cmdline()):
                found[process.pid] = sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return found

with ray_session(Cluster(cpus=2)):
    prestart(2)
    until, seen = time.monotonic() + 60, {}
    while time.monotonic() < until:  # until they stand ready and have come to rest
        now = workers()
        if len(now) == len(seen) >= 3 and sum(now.values()) - sum(seen.values()) < 0.2:
            break
        seen = now
        time.sleep(1)
    asked = time.time()
    task = ray.remote(search).options(num_cpus=0, runtime_env=search_runtime_env())
    print(json.dumps([[answer["warm"], answer["started"] < asked] for answer in ray.get(task.remote())]))
"""


@pytest.mark.engine
def test_the_search_and_its_actors_get_workers_that_are_warm():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=os.environ)
    assert json.loads(done.stdout.splitlines()[-1]) == [[True, True]] * 3
