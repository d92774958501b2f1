"""What trials take of a cluster: kinds of GPU, and how many share one by the memory that was measured."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from mlops_compiler.backends.ray.gpu_memory import smallest
from mlops_compiler.backends.ray.placing import CONTEXT_GIB, MARGIN, Places
from mlops_compiler.backends.ray.resources import NodeResources, Placement, place
from mlops_compiler.diagnostics import EngineError
from mlops_compiler.ir.budget import MOST_SHARERS, packed_share
from mlops_compiler.ir.domain import IntLogUniform
from mlops_compiler.ir.ops.search import Candidate
from mlops_compiler.models.registry import MODELS
from mlops_compiler.store.records import FoldRecord

PARAMETERS = dict(MODELS["torch_mlp"].defaults)
NET = Candidate(
    name="net",
    kind="torch_mlp",
    version=1,
    parameters=tuple((PARAMETERS | {"hidden": IntLogUniform(low=16, high=4096)}).items()),
    cpu=1,
    gpu="auto",
    memory=None,
)
PLAIN = NodeResources(cpus=4, gpus=0, memory=8)
H100 = NodeResources(cpus=16, gpus=1, memory=64, accelerators=frozenset({"H100"}))
T4 = NodeResources(cpus=4, gpus=1, memory=16, accelerators=frozenset({"T4"}))


def asked(gpu, *kinds):
    return replace(NET, gpu=gpu, accelerators=kinds)


@pytest.mark.parametrize(
    ("candidate", "nodes", "gpus", "kind"),
    [
        pytest.param(asked(1, "H100"), [PLAIN, T4, H100], 1, "H100", id="the one"),
        pytest.param(asked(1, "A100", "T4", "H100"), [H100, T4], 1, "T4", id="the first that there is"),
        pytest.param(asked("auto", "H100"), [PLAIN, H100], 1, "H100", id="auto"),
        pytest.param(asked("auto", "H100"), [PLAIN, T4], 1, None, id="auto takes another"),
        pytest.param(asked("auto", "H100"), [PLAIN], 0, None, id="auto takes none"),
        pytest.param(asked("auto"), [PLAIN, T4], 1, None, id="any"),
        pytest.param(asked(0.5, "A100"), [T4], 0.5, "A100", id="none there"),
    ],
)
def test_a_kind_of_gpu_is_placed(candidate, nodes, gpus, kind):
    placed = place(candidate, nodes, concurrent=1)
    assert (placed.gpus, placed.accelerator) == (gpus, kind)
    assert placed.falls_back is (candidate.gpu == "auto")
    assert placed.bundle().get("accelerator_type:H100", 0) == (0.001 if kind == "H100" else 0)


def test_a_kind_that_no_node_has_is_refused(sim):
    with pytest.raises(EngineError) as caught:
        Places(sim.search_of((asked(1, "H100"),)), [PLAIN, T4])
    (found,) = caught.value.diagnostics
    assert found.code == "infeasible-resources"
    assert found.headline == "a trial of `net` asks for 1 CPUs, 1 GPUs (H100), and no node has that"
    assert [note.text for note in found.notes] == [
        "the cluster has a node with 4 CPUs, 0 GPUs and 8.0 GiB",
        "the cluster has a node with 4 CPUs, 1 GPUs (T4) and 16.0 GiB",
    ]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([PLAIN], ["no node has a GPU of kind H100 or A100: trials of `net` run on the CPU"]),
        ([T4], ["no node has a GPU of kind H100 or A100: trials of `net` take another GPU"]),
        ([H100], []),
    ],
)
def test_auto_says_what_it_does_without(sim, nodes, told):
    notes = []
    Places(sim.search_of((asked("auto", "H100", "A100"),)), nodes, notes.append).tell()
    assert notes == told


def test_a_lost_gpu_is_done_without_and_told(sim):
    notes = []
    places = Places(sim.search_of((NET,)), [PLAIN, T4], notes.append)
    assert places.of(spec()).gpus > 0
    places.refresh([PLAIN])
    assert places.of(spec()).gpus == 0
    assert notes == ["the cluster has no GPU any more: trials of `net` go on on the CPU"]


def test_a_lost_gpu_that_is_needed_ends_the_search(sim):
    places = Places(sim.search_of((asked(1),)), [PLAIN, T4])
    with pytest.raises(EngineError, match="no node has that"):
        places.refresh([PLAIN])


def spec(**parameters):
    return SimpleNamespace(model="net", parameters=PARAMETERS | parameters)


def measured(gib, of=80.0, rows=100_000, columns=50, **parameters):
    """Make a trial and the record of a fold of it."""
    cost = {"gpu_gib": gib, "gpu_of_gib": of, "rows": rows, "columns": columns}
    record = FoldRecord(
        fingerprint="f",
        trial="t",
        fold=0,
        metrics={f"cost.{name}": value for name, value in cost.items()},
        predictions="p",
        seconds=1.0,
    )
    return SimpleNamespace(candidate=NET, parameters=PARAMETERS | parameters), record


@pytest.fixture
def places(sim):
    return Places(sim.search_of((NET,), max_concurrent=16), [replace(H100, cpus=64)])


def test_trials_share_a_gpu_evenly_until_one_is_measured(places):
    assert places.of(spec()).gpus == 0.25
    assert places.slots == 4


@pytest.mark.parametrize(
    ("gib", "sharers"),
    [
        pytest.param(1.0, MOST_SHARERS, id="a small one: as many as take turns well"),
        pytest.param(20.0, 2, id="2 x 25.75 GiB in 76"),
        pytest.param(50.0, 1, id="a large one"),
        pytest.param(400.0, 1, id="more than there is: it is tried, and takes less at a time"),
    ],
)
def test_as_many_trials_share_a_gpu_as_its_memory_has_room_for(places, gib, sharers):
    places.observe(*measured(gib))
    placed = places.of(spec())
    assert placed.gpus == pytest.approx(1 / sharers, abs=1e-4)
    assert places.slots == sharers
    assert sharers * placed.gpus <= 1
    if sharers > 1:
        assert sharers * (MARGIN * gib + CONTEXT_GIB) <= 80


def test_a_larger_model_is_given_more(places):
    places.observe(*measured(6.0, hidden=64))
    small, large = (places.of(spec(hidden=width)).gpus for width in (64, 65_536))
    assert small < large
    assert places.of(spec(hidden=16)).gpus == small


def test_a_model_between_two_that_were_measured_takes_no_more_than_the_larger(places):
    places.observe(*measured(6.0, hidden=64))
    places.observe(*measured(10.0, hidden=65_536))
    assert places.of(spec(hidden=4096)).gpus == packed_share(80.0, MARGIN * 10.0 + CONTEXT_GIB, at_most=16)


def test_cores_beside_a_gpu_bound_how_many_share_it(sim):
    places = Places(sim.search_of((replace(NET, cpu=8),), max_concurrent=16), [H100])
    places.observe(*measured(0.5))
    assert places.of(spec()).gpus == 0.5


def test_the_recipe_may_say_how_much(sim):
    search = sim.search_of((replace(NET, gpu_memory=30.0),), max_concurrent=16)
    told = Places(search, [replace(H100, gpu_memory=80.0)])
    assert told.of(spec()).gpus == 0.5
    notes = []
    unknown = Places(search, [H100], notes.append)
    unknown.tell()
    assert unknown.of(spec()).gpus == 0.25
    assert notes == ["no node tells how much memory its GPUs have: trials of `net` share them evenly"]
    unknown.observe(*measured(1.0))
    assert unknown.of(spec()).gpus == 0.5, "a fold told how much the GPU has"


def test_a_fraction_that_is_asked_for_stays(sim):
    places = Places(sim.search_of((asked(0.5),)), [H100])
    places.observe(*measured(0.1))
    assert places.of(spec()).gpus == 0.5


def test_a_fold_without_a_gpu_teaches_nothing(places):
    trial, record = measured(1.0)
    places.observe(trial, replace(record, metrics={"roc_auc": 0.5}))
    assert places.of(spec()).gpus == 0.25


@pytest.mark.parametrize("sharers", range(1, MOST_SHARERS + 1))
def test_shares_of_a_gpu_come_to_one_at_most(sharers):
    share = packed_share(100.0, 95.0 / sharers - 1e-9, at_most=100)
    assert 1 - 0.001 < sharers * share <= 1


@pytest.mark.parametrize(
    ("answer", "gib"), [("81920\n40960\n", 40.0), ("", None), ("[N/A]\n", None)], ids=["two", "none", "not told"]
)
def test_the_drivers_answer_is_read(answer, gib):
    assert smallest(answer) == gib


def test_a_placement_travels_as_data():
    from dataclasses import asdict

    placed = Placement(cpus=1, gpus=0.5, memory=2.0, accelerator="H100", falls_back=True)
    assert Placement(**asdict(placed)) == placed
    assert placed.bundle() == {"CPU": 1, "GPU": 0.5, "memory": 2 * 1024**3, "accelerator_type:H100": 0.001}
