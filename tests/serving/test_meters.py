"""What Prometheus reads: replicas of one machine add up, whichever is asked, and each says what its log loses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

REPLICA = """
import sys
from mlops_compiler.serving.meters import Meters

class Log:
    facts = {"waiting": 7, "lost": 0}

meters = Meters("churn", 3)
meters.watch(Log)
for status, code in ((200, ""), (200, ""), (422, "invalid-request")):
    meters.begin()
    meters.end(status, 0.004, rows=1 if status == 200 else 0, code=code)
meters.begin()
Log.on_loss(5)
Log.on_waiting(7)
print("ready", flush=True)
sys.stdin.readline()
print(meters.exposition()[0].decode(), flush=True)
"""


def values(text):
    return {
        (sample.name, *(sample.labels.get(name) for name in ("status", "code") if name in sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }


@pytest.fixture
def replicas(tmp_path):
    """Give a function that starts a process with the meters of a replica."""
    started = []

    def start():
        about = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, "-c", REPLICA], stdin=pipe, stdout=pipe, text=True, env=about)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def asked(process):
    return values(process.communicate("\n", timeout=60)[0])


def test_replicas_of_one_machine_add_up(replicas):
    one, _other = replicas(), replicas()
    told = asked(one)
    assert told["mlops_requests_total", "200", ""] == 4
    assert told["mlops_requests_total", "422", "invalid-request"] == 2
    assert told["mlops_rows_total",] == 4
    assert told["mlops_request_seconds_count",] == 6
    assert told["mlops_requests_in_flight",] == 2
    assert told["mlops_log_lost_rows_total",] == 10
    assert told["mlops_log_waiting_rows",] == 14
    assert told["mlops_replica_up",] == 2


def test_what_a_dead_replica_counted_stays_and_what_it_said_of_the_moment_goes(replicas):
    dead = replicas()
    dead.kill()
    dead.wait()
    told = asked(replicas())
    assert told["mlops_requests_total", "200", ""] == 4
    assert told["mlops_log_lost_rows_total",] == 10
    assert told["mlops_replica_up",] == 1
    assert told["mlops_requests_in_flight",] == 1
