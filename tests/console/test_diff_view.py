"""A comparison as text: what differs in full, what does not in one line, and nothing wider than the screen."""

from __future__ import annotations

import pytest

from mlops_compiler.console.diff_view import print_comparison
from mlops_compiler.plan.compare.comparison import Comparison, Which
from mlops_compiler.plan.compare.data import ColumnChange, Data
from mlops_compiler.plan.compare.distributions import ColumnShift
from mlops_compiler.plan.compare.outcome import MetricChange, Metrics, Preparation, StageTime, Time
from mlops_compiler.plan.compare.part import KeyChange, Keys, Pair
from mlops_compiler.report.numbers import DASH

T0 = 1795418452.0


def which(run_id="20261123-072052-3f9c00", **more):
    usual = {"recipe": "churn", "status": "succeeded", "started": T0, "release": 3, "overrides": ()}
    return Which(**{"run_id": run_id, **usual, **more})


def comparison(**parts):
    usual = {
        "before": which(),
        "after": which("20261124-072052-aa9c00", release=None, status="rejected"),
        "recipe": Keys(),
        "code": Keys(),
        "environment": Keys(),
        "data": Data(rows=Pair(before=7043, after=7043)),
        "preparation": Preparation(),
        "parameters": Keys(),
        "metrics": Metrics(),
        "time": Time(),
    }
    return Comparison(**{**usual, **parts})


def shown(screen, **parts):
    print_comparison(comparison(**parts), screen.console)
    assert max(map(len, screen.lines)) <= screen.console.width
    return screen.lines


HEAD = [
    "diff of churn",
    "  A  20261123-072052-3f9c00  succeeded  release 3  2026-11-23 07:20 UTC",
    "  B  20261124-072052-aa9c00  rejected              2026-11-23 07:20 UTC",
    "",
]
SAME = ["recipe", "code", "environment", "data", "preparation", "parameters", "metrics"]


def test_where_nothing_differs_that_is_said(any_screen):
    assert shown(any_screen) == [
        *HEAD,
        "  nothing differs",
        "",
        *(f"  {name}: the same{' snapshot, 7,043 rows' if name == 'data' else ''}" for name in SAME),
    ]


def test_what_is_not_recorded_is_not_said_to_be_the_same(screen):
    lines = shown(screen, environment=Keys(missing=("the environment is not recorded in A",)))
    assert "  nothing that is recorded differs" in lines
    assert "  environment: the environment is not recorded in A" in lines


def test_keys_changed_gone_and_new(any_screen):
    changes = (
        KeyChange(key="search.trials", change="changed", before=30, after=60),
        KeyChange(key="models.net", change="gone", before={"kind": "torch_mlp", "description": None}),
        KeyChange(key="monitor", change="new", after=None),
    )
    lines = shown(any_screen, recipe=Keys(changes=changes))
    assert lines[4:8] == [
        "  Recipe",
        "    search.trials  30 → 60",
        "    models.net     only in A  {kind: torch_mlp}",
        "    monitor        only in B  null",
    ]
    assert "  recipe: the same" not in lines
    assert "  code: the same" in lines


def test_numbers_that_look_the_same_are_written_in_full(screen):
    change = KeyChange(key="parameters.C", change="changed", before=0.123456, after=0.123457)
    assert "    parameters.C  0.123456 → 0.123457" in shown(screen, parameters=Keys(changes=(change,)))


def test_many_changes_are_counted(screen):
    changes = tuple(KeyChange(key=f"k{n}", change="changed", before=0, after=1) for n in range(45))
    lines = shown(screen, recipe=Keys(changes=changes))
    assert "    and 15 more; --json lists all" in lines
    assert sum("0 → 1" in line for line in lines) == 30


def test_a_long_or_hostile_value_does_no_harm(screen):
    changes = (
        KeyChange(key="description", change="changed", before="x" * 500, after="\x1b[2J[bold]no[/bold]"),
        KeyChange(key="k" * 120, change="new", after=["y" * 90]),
    )
    text = "\n".join(shown(screen, recipe=Keys(changes=changes)))
    assert "\x1b" not in text
    assert "[bold]no[/bold]" in text


NUMERIC = ColumnShift(
    name="tenure",
    kind="numeric",
    distance=0.21,
    figures={"mean": Pair(before=32.4, after=35.1), "std": Pair(before=2.0, after=2.0)},
    missing=Pair(before=0.0, after=0.0004),
)
LEVELS = ColumnShift(
    name="contract",
    kind="levels",
    distance=0.1,
    figures={"levels": Pair(before=3, after=4)},
    missing=Pair(before=0.0, after=0.0),
    level="Weekly",
    share=Pair(before=0.0, after=0.1),
)
KEY = ColumnShift(name="id", kind="levels", distance=None, figures={"levels": Pair(before=90, after=91)})


def test_data_that_differ(any_screen):
    data = Data(
        source=Pair(before="a.csv", after="b.csv"),
        rows=Pair(before=7043, after=6900),
        snapshot=Pair(before="a", after="b"),
        columns=(
            ColumnChange(name="zip", change="gained", after="text"),
            ColumnChange(name="age", change="retyped", before="int", after="float"),
        ),
        shifts=(NUMERIC, LEVELS, KEY),
    )
    assert shown(any_screen, data=data)[4:13] == [
        "  Data  7,043 → 6,900 rows",
        "    source   a.csv → b.csv",
        "    gained   zip text",
        "    retyped  age int → float",
        "    columns that moved most; KS and TV are distances from 0, the same, to 1",
        "    tenure    KS 0.210  mean 32.4 → 35.1, missing 0.00 % → 0.04 %",
        "    contract  TV 0.100  levels 3 → 4, Weekly 0.0 % → 10.0 %",
        "    1 did not move",
        "",
    ]


def test_a_snapshot_that_is_gone_is_said(screen):
    data = Data(snapshot=Pair(before="a", after="b"), missing=("no distributions: A: the store lacks object abc",))
    assert "    no distributions: A: the store lacks object abc" in shown(screen, data=data)


def test_metrics_say_which_is_better(any_screen):
    metrics = Metrics(
        metrics=(
            MetricChange(name="roc_auc", before=0.84, after=0.85, difference=0.01, verdict="better"),
            MetricChange(name="brier", before=0.2, after=0.200001, difference=0.000001, verdict="worse"),
            MetricChange(name="f1", before=0.5, after=0.5, difference=0.0, verdict="same"),
            MetricChange(name="new", before=None, after=0.5, difference=None, verdict=None),
        ),
        remarks=("the holdouts are not the same rows",),
    )
    assert shown(any_screen, metrics=metrics)[4:10] == [
        "  Metrics",
        "    roc_auc  0.8400 → 0.8500        +0.0100  better",
        "    brier    0.200000 → 0.200001  +0.000001  worse",
        "    f1       0.5000                          same",
        f"    new      {DASH} → 0.5000",
        "    the holdouts are not the same rows",
    ]


@pytest.mark.parametrize(
    ("gained", "lost", "told"),
    [
        (("plan=b",), ("plan=a",), ["    features  2", "    gained    plan=b", "    lost      plan=a"]),
        ((), (), ["    features  2", "    learned   other numbers for the same features"]),
    ],
    ids=["other features", "the same features"],
)
def test_features(screen, gained, lost, told):
    found = Preparation(
        features=Pair(before=2, after=2),
        rows=Pair(before=9, after=8),
        fitted=Pair(before="a", after="b"),
        gained=gained,
        lost=lost,
    )
    lines = shown(screen, preparation=found)
    assert lines[4] == "  Preparation  9 → 8 training rows"
    assert lines[5 : 5 + len(told)] == told


def test_stages_whose_time_differs(screen):
    stages = (
        StageTime(stage="split", seconds=Pair(before=0.5, after=0.5), reused=Pair(before=False, after=False)),
        StageTime(stage="search", seconds=Pair(before=16.0, after=None), reused=Pair(before=False, after=True)),
    )
    lines = shown(screen, time=Time(total=Pair(before=23.9, after=1.2), stages=stages))
    at = lines.index("  Time  23.9 s → 1.20 s")
    assert lines[at + 1 : at + 3] == ["    search  16.0 s → reused", ""]
