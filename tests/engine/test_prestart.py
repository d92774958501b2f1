"""Workers that were started before they are asked for are those that the search and its actors get."""

from __future__ import annotations

import os
import sys
import time

import psutil
import pytest

from mlops_compiler.backends.ray.prestart import prestart, search_runtime_env

PATIENCE_SECONDS = 60


def told():
    return {"started": psutil.Process().create_time(), "warm": "sklearn.ensemble" in sys.modules}


def search():
    """Do what the search does: let Tune make the class of its actors, from inside a task."""
    import ray
    from ray.tune.execution.class_cache import _ActorClassCache

    class Trial:
        def told(self):
            return told()

    actors = [_ActorClassCache().get(Trial).options(num_cpus=1).remote() for _ in range(2)]
    return [told(), *ray.get([actor.told.remote() for actor in actors])]


def workers():
    """List the workers that stand ready, with the CPU seconds that they used."""
    found = {}
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if "ray::IDLE" in " ".join(process.cmdline()):
                found[process.pid] = sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return found


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_the_search_and_its_actors_get_workers_that_are_warm():
    import ray

    before = workers()
    prestart(2)
    until, seen = time.monotonic() + PATIENCE_SECONDS, {}
    while time.monotonic() < until:  # until three more stand ready and have come to rest
        now = workers()
        if len(set(now) - set(before)) == 3 and now == seen:
            break
        seen = now
        time.sleep(0.5)
    asked = time.time()
    task = ray.remote(search).options(num_cpus=0, runtime_env=search_runtime_env())
    answers = ray.get(task.remote())
    assert [answer["warm"] for answer in answers] == [True, True, True]
    assert [answer["started"] < asked for answer in answers] == [True, True, True]
