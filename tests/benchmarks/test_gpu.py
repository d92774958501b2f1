"""The figures of the GPU benchmark follow from what the driver and the store say; without a GPU it claims nothing."""

from __future__ import annotations

import pytest

from benchmarks import gpu
from benchmarks.gpu import Found, Sample, found, read_sample, told


@pytest.mark.parametrize(
    ("answer", "busy", "memory"),
    [
        pytest.param("80, 20000, 80000\n", 0.8, 0.25, id="one"),
        pytest.param("100, 60000, 80000\n50, 20000, 80000\n", 0.75, 0.5, id="two"),
        pytest.param("[N/A], 1, 2\n40, 10, 100\n", 0.4, 0.1, id="one that does not tell"),
    ],
)
def test_the_drivers_answer_is_read(answer, busy, memory):
    sample = read_sample(answer, now=7.0)
    assert sample is not None
    assert (sample.time, sample.busy, sample.memory) == (7.0, pytest.approx(busy), pytest.approx(memory))


@pytest.mark.parametrize("answer", ["", "No devices were found\n", "[N/A], [N/A], [N/A]\n"])
def test_no_gpu_is_no_sample(answer):
    assert read_sample(answer, now=0.0) is None


def test_only_what_was_sampled_while_the_search_ran_counts():
    samples = [Sample(time=float(at), busy=at / 10, memory=at / 20) for at in range(10)]
    came = found({"trials": 24, "best": 0.9}, 3.0, samples, start=4.0)
    assert came.busy == pytest.approx(0.55)  # of 4, 5, 6 and 7 s
    assert came.memory == pytest.approx(0.35)
    assert came.per_hour == pytest.approx(28_800)
    assert found({"trials": 1, "best": 0.9}, 3.0, [], start=4.0).busy is None


def test_the_ratios_are_of_packed_to_alone():
    alone = Found(trials=24, seconds=240.0, busy=0.2, memory=0.05, best=0.9)
    packed = Found(trials=24, seconds=60.0, busy=0.7, memory=0.3, best=0.9)
    lines = told({"one trial a GPU": alone, "packed by memory": packed})
    assert lines[0] == (
        "one trial a GPU    24 trials in 240.0 s: 360 an hour, GPU 20% busy, 5% of its memory at the peak; best 0.9000"
    )
    assert lines[-1] == "packed / alone: 4.00 x the trials per hour, 3.50 x as busy"


def test_without_a_gpu_nothing_is_claimed(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "gpu_program", lambda: None)
    monkeypatch.setattr(gpu, "search", lambda *_: pytest.fail("it measures"))
    gpu.main()
    assert "nothing is claimed" in capsys.readouterr().out


def test_its_recipe_is_one(tmp_path, monkeypatch, capsys):
    from mlops_compiler import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gpu, "ROWS", 200)
    gpu.write_rows()
    (tmp_path / "benchmark.yaml").write_text(gpu.RECIPE)
    for share in gpu.CONTENDERS.values():
        code = cli.main(["check", "recipe=benchmark.yaml", f"models.net.resources.gpu={share}"])
        assert code == 0, capsys.readouterr().err
