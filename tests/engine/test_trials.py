"""A trial takes what its model asks for, and costs no other trial anything when it ends badly."""

from __future__ import annotations

import json

import pytest

from mlops_compiler.backends.ray.resources import NodeResources, place
from mlops_compiler.ir.ops.search import Candidate

pytestmark = pytest.mark.engine
PROBE = '''
"""A kind of model that notes what it was given, and whose process dies where it is asked to."""

import os
from pathlib import Path

from mlops_compiler.models.kind import ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable
from mlops_compiler.models.prior import Prior


class ProbeParameters(Parameters):
    ends: Tunable[str] = "well"


class Probe(ModelKind):
    name = "probe"
    parameters = ProbeParameters
    defaults = {"ends": "well"}
    complexity = 1
    uses_gpu = True

    def fit(self, X, y, *, parameters, options):
        if parameters["ends"] == "dead":
            os._exit(1)
        if parameters["ends"] == "badly":
            raise ValueError("no such luck")
        import ray

        Path(os.path.dirname(__file__), f"given-{os.getpid()}").write_text(str(len(ray.get_gpu_ids())))
        return Prior().fit(X, y, parameters={}, options=options)

    def load(self, files):
        return Prior().load(files)


PROBE = Probe()
'''


@pytest.fixture
def probed(small):
    """Announce the kind `probe` in the working directory, which Ray's workers import from too."""
    info = small.root / "probe-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[mlops_compile.models]\nprobe = probe_kind:PROBE\n")
    (small.root / "probe_kind.py").write_text(PROBE)
    return small


def test_a_trial_that_dies_costs_that_trial_only(engine, probed):
    probed.edit(
        "  boosting: {kind: hist_gradient_boosting, max_iter: 20, learning_rate: {choice: [0.05, 0.1, 0.2]}}\n",
        "  probe: {kind: probe, ends: {choice: [well, dead, badly]}, resources: {gpu: auto}}\n",
    )
    probed.edit("algorithm: tpe", "algorithm: grid")
    process = probed.start("recipe=small", "search.trials=9", f"cluster.address={engine}", "--json")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, out + err
    assert out.startswith("{"), out
    trials = json.loads(out)["leaderboard"]["trials"]
    probes = {item["parameters"]["ends"]: item for item in trials if item["model"] == "probe"}
    assert {name: item["status"] for name, item in probes.items()} == {
        "well": "complete",
        "dead": "failed",
        "badly": "failed",
    }
    assert probes["dead"]["error"] == "its process died, 2 times"
    assert probes["badly"]["error"] == "ValueError: no such luck"
    assert {item["status"] for item in trials if item["model"] != "probe"} == {"complete"}
    (given,) = {path.read_text() for path in probed.root.glob("given-*")}
    assert given == "1"  # `gpu: auto`, and the engine has one


@pytest.mark.parametrize(
    ("has", "concurrent", "takes"),
    [
        pytest.param((0.0,), 2, 0.0, id="none there"),
        pytest.param((1.0,), 1, 1.0, id="one for one trial"),
        pytest.param((1.0,), 2, 0.5, id="shared by two"),
        pytest.param((1.0,), 8, 0.25, id="no share is too small"),
        pytest.param((2.0, 2.0), 4, 1.0, id="as many as trials"),
    ],
)
def test_auto_takes_of_a_gpu_what_there_is(has, concurrent, takes):
    candidate = Candidate(name="net", kind="torch_mlp", version=1, parameters=(), cpu=1, gpu="auto", memory=None)
    nodes = [NodeResources(cpus=4, gpus=gpus, memory=8) for gpus in has]
    placed = place(candidate, nodes, concurrent)
    assert (placed.cpus, placed.gpus) == (1, takes)
    assert any(placed.fits(node) for node in nodes)
