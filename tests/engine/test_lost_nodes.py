"""A worker node that is lost costs the folds that it was fitting: they are fitted elsewhere, on the CPU where they may."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.engine
PATIENCE = 240
CLUSTER = """
import socket, sys
from ray.cluster_utils import Cluster

def free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]

quickly = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
# The agent's port is a fixed one by default, which the suite's own engine has.
head = {"num_cpus": 1, "include_dashboard": False, "dashboard_agent_listen_port": free(), "_system_config": quickly}
cluster = Cluster(initialize_head=True, head_node_args=head)
h100 = {"num_gpus": 1, "resources": {"accelerator_type:H100": 1}}
workers = {"plain": cluster.add_node(num_cpus=1), "gpu": cluster.add_node(num_cpus=1, **h100)}
print(cluster.address, flush=True)
for line in sys.stdin:
    cluster.remove_node(workers.pop(line.strip()), allow_graceful=False)
    print("lost", flush=True)
cluster.shutdown()
"""
PROBE = '''
"""A kind of model that notes the node on which it is fitted, and is fitted no further while there is a file `hold`."""

import time
from pathlib import Path

from mlops_compiler.models.kind import ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable
from mlops_compiler.models.logistic_regression import LogisticRegression


class ProbeParameters(Parameters):
    C: Tunable[float] = 1.0


class Probe(ModelKind):
    name = "probe"
    parameters = ProbeParameters
    defaults = {"C": 1.0}
    complexity = 1
    uses_gpu = True

    def fit(self, X, y, *, parameters, options):
        import ray

        here = Path(__file__).parent
        gpu = "gpu" if ray.get_gpu_ids() else "plain"
        (here / f"on-{ray.get_runtime_context().get_node_id()}-{gpu}").touch()
        while (here / "hold").exists():
            time.sleep(0.02)
        given = {**LogisticRegression.defaults, "C": parameters["C"]}
        return LogisticRegression().fit(X, y, parameters=given, options=options)

    def load(self, files):
        return LogisticRegression().load(files)


PROBE = Probe()
'''


class Nodes:
    """A cluster of three nodes, of which two can be lost."""

    def __init__(self, process):
        self.process, self.address = process, process.stdout.readline().strip()

    def lose(self, name):
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "lost"


@pytest.fixture(scope="module")
def nodes():
    """Start a cluster of a head and two workers with one CPU each."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CLUSTER],
        env=os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Nodes(process)
    finally:
        process.communicate("", timeout=60)


@pytest.fixture
def probed(small):
    """Search a model of the kind `probe`, which the workers import from the working directory."""
    info = small.root / "probe-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[mlops_compile.models]\nprobe = probe_kind:PROBE\n")
    (small.root / "probe_kind.py").write_text(PROBE)
    small.recipe.write_text(small.recipe.read_text().partition("models:")[0] + MODELS)
    return small


MODELS = """\
models:
  baseline: {kind: prior}
  probe: {kind: probe, C: {log_uniform: [0.001, 10]}}
search: {algorithm: tpe, scheduler: none, trials: 5, max_concurrent: 3}
"""


def wait_for(condition, process):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited for too long"
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def held_on(place, what="*"):
    return {path.name.split("-")[1] for path in place.root.glob(f"on-*-{what}")}


def test_a_lost_node_costs_the_folds_in_flight(engine, nodes, probed, make_workplace, tmp_path):
    (probed.root / "hold").touch()
    process = probed.start("recipe=small", f"cluster.address={nodes.address}")
    wait_for(lambda: len(held_on(probed)) == 3, process)
    nodes.lose("plain")
    wait_for(
        lambda: probed.events("trial_lost"), process
    )  # a worker outlives its node for a moment, and may end its fit
    (probed.root / "hold").unlink()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out + err
    (lost,) = probed.events("trial_lost")
    assert lost.payload["reason"] in {"its node was lost", "nothing more was heard of its process", "its process died"}
    assert "tried again" in err
    assert {event.payload["status"] for event in probed.events("trial_finished")} == {"complete"}
    undisturbed = make_workplace(tmp_path / "undisturbed")
    for name in ("probe-1.dist-info/METADATA", "probe-1.dist-info/entry_points.txt", "probe_kind.py"):
        (undisturbed.root / name).parent.mkdir(exist_ok=True)
        (undisturbed.root / name).write_text((probed.root / name).read_text())
    undisturbed.recipe.write_text(probed.recipe.read_text())
    again = undisturbed.start("recipe=small", f"cluster.address={engine}")
    out, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, out + err
    assert probed.digests() == undisturbed.digests()


def test_a_search_without_its_gpu_goes_on_on_the_cpu(nodes, probed):
    probed.edit(
        "C: {log_uniform: [0.001, 10]}", "C: {log_uniform: [0.001, 10]}, resources: {gpu: auto, accelerator: H100}"
    )
    (probed.root / "hold").touch()
    process = probed.start("recipe=small", f"cluster.address={nodes.address}", "cluster.wait=1s")
    wait_for(lambda: held_on(probed, "gpu"), process)
    assert not held_on(probed, "plain"), "a trial is on the node with the H100, or waits for it"
    nodes.lose("gpu")
    wait_for(lambda: held_on(probed, "plain"), process)
    (probed.root / "hold").unlink()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out + err
    assert "the cluster has no GPU any more: trials of `probe` go on on the CPU" in err
    assert held_on(probed, "plain")
    assert {event.payload["status"] for event in probed.events("trial_finished")} == {"complete"}


def test_what_no_node_has_is_refused_before_anything_runs(nodes, probed):
    probed.edit(
        "C: {log_uniform: [0.001, 10]}", "C: {log_uniform: [0.001, 10]}, resources: {gpu: 1, accelerator: A100}"
    )
    process = probed.start("recipe=small", f"cluster.address={nodes.address}")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, out + err
    assert "a trial of `probe` asks for 1 CPUs, 1 GPUs (A100), and no node has that" in err
    assert probed.events("stage_started") == []
