"""`mlops-compile intake` takes in what is new, once, and each time as a version (L-ACQ-4, L-ACQ-10)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from mlops_compiler import cli
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.store.records import StageRecord
from mlops_compiler.store.writer import StoreWriter, open_writer

START = datetime(2026, 3, 1)  # noqa: DTZ001 - a column of times has no zone


def counts(said):
    names = ("rows", "new", "late", "changed", "superseded", "repeated", "refused")
    return {name: said[name] for name in names if said[name]}


def codes(said):
    return [item["code"] for item in said["warnings"]]


def test_a_file_is_known_by_its_content(files):
    assert counts(files.take()) == {"rows": 2, "new": 2}
    files.deliver("b.csv", (3, 10, 30))
    shutil.copy(files.root / "recipes/in/a.csv", files.root / "recipes/in/again.csv")
    (files.root / "recipes/in/a.csv").rename(files.root / "recipes/in/renamed.csv")
    said = files.take()
    assert (counts(said), said["files"], said["version"]) == ({"rows": 3, "new": 1}, ["in/b.csv"], 2)
    assert files.take()["new_version"] is False
    assert files.versions == [2, 3]


def test_a_file_that_changed_is_told_and_gives_what_is_new_in_it(files):
    files.take()
    files.deliver("a.csv", (1, 8, 10), (2, 11, 25), (3, 10, 30))
    said = files.take()
    assert counts(said) == {"rows": 3, "new": 1, "changed": 1, "repeated": 1}
    assert "file-changed" in codes(said)


def test_the_first_row_of_a_key_stays_where_the_recipe_says_so(files):
    files.take()
    files.deliver("b.csv", (1, 12, 15), (3, 10, 30), (3, 11, 31))
    said = files.take("+data.intake.keep=first")
    assert counts(said) == {"rows": 3, "new": 1, "superseded": 2}


def test_files_that_were_fetched_away_are_not_missed(files):
    files.take()
    (files.root / "recipes/in/a.csv").unlink()
    assert files.take()["new_version"] is False


def test_a_watermark_takes_what_changed_and_what_is_late(table):
    said = table.take()
    assert (counts(said), said["watermark"]) == ({"rows": 2, "new": 2}, "2026-03-01T09:00:00")
    table.insert((3, 8, 30), (4, 6, 40), (5, 12, 50), (1, 12, 15))
    said = table.take()
    assert counts(said) == {"rows": 4, "new": 2, "late": 1, "changed": 1, "repeated": 1, "refused": 1}
    assert said["watermark"] == "2026-03-01T12:00:00"
    assert "intake-refused" in codes(said)
    assert table.take("data.intake.late=12h")["new"] == 1
    assert table.versions == [2, 4, 5]


def test_rows_that_break_the_contract_leave_the_last_version_in_place(files, inbox):
    """L-ACQ-6: and whoever asked for it is told, of that and of the recovery."""
    told = f'notify=[{{when: [failure, recovery, intake], to: "{inbox.url}"}}]'
    files.take(told)
    files.deliver("b.csv", (3, 10, 3000))
    for _ in range(2):
        code, said = files.run("intake", told)
        assert (code, [item["code"] for item in said["errors"]]) == (1, ["contract-range"])
    assert files.versions == [2]
    files.deliver("b.csv", (3, 10, 300))
    assert counts(files.take(told)) == {"rows": 3, "new": 1}
    assert inbox.titles == [
        "orders: intake 1 took 2 rows in: version 1",
        "orders: intake failed in stage snapshot",
        "orders: recovered: intake 2 took 1 row in: version 2",
    ]
    assert "next: mlops-compile intake recipe=orders" in inbox.messages[1]["message"]


def test_a_run_is_of_the_rows_that_were_taken(files):
    code, said = files.run("plan")
    assert (code, said["errors"][0]["code"]) == (1, "nothing-taken")
    files.take()
    files.deliver("b.csv", (3, 10, 30))
    assert files.run("plan")[1]["stages"][0]["action"] == "reuse"
    files.take()
    plan = launch(["recipe=orders"], plan_recipe)[0].plan
    assert plan.actions[0].action == "reuse"
    assert plan.actions[0].record.summary["source"] == "in/*.csv"
    assert plan.actions[0].record.summary["rows"] == 3


def test_a_plan_tells_of_rows_that_intakes_took_since(files):
    files.take()
    (planned,) = launch(["recipe=orders"], plan_recipe)
    split = planned.plan.stage("split")
    record = StageRecord(
        fingerprint=split.fingerprint,
        recipe="orders",
        name="split",
        ingredients=split.ingredients,
        outputs={},
        summary={},
        run_id="r1",
        started=time.time(),
        seconds=0.0,
    )
    open_writer(planned.location).record_stage(record)
    for name, order in (("b.csv", (3, 10, 30)), ("c.csv", (1, 11, 11))):
        files.deliver(name, order)
        files.take()
    why = files.run("why", "split")[1]
    assert "2 intakes took 1 new and 1 changed rows in, 3 in all" in str(why)


def test_an_old_version_is_read_as_ever(files):
    files.take()
    files.deliver("b.csv", (3, 10, 30))
    files.take()
    (planned,) = launch(["recipe=orders", "data.version=1"], plan_recipe)
    assert planned.compiled.program["source"].op.path.endswith(
        planned.store.stages("orders", "snapshot")[0].outputs["snapshot"][2:]
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["data.intake.by=watermark", "+data.intake.column=changed"], "intake-changed", id="by"),
        pytest.param(["+data.intake.key=amount"], "intake-changed", id="key"),
    ],
)
def test_another_way_to_take_begins_anew(files, words, code):
    files.take()
    assert files.run("intake", *words)[1]["errors"][0]["code"] == code
    said = files.take("--anew", *words)
    assert (said["intake"], said["rows"]) == (2, 2)


def test_a_file_of_other_columns_is_refused(files):
    files.take()
    (files.root / "recipes/in/b.csv").write_text("id,changed,amount\n3,2026-03-01 10:00:00,30\n")
    code, said = files.run("intake")
    assert (code, said["errors"][0]["code"]) == (1, "intake-columns")
    assert said["errors"][0]["headline"] == "b.csv has other columns than were taken in before"


def test_what_can_never_be_taken_is_said(table):
    table.insert()
    assert table.run("intake", "data.intake.column=paid")[1]["errors"][0]["code"] == "contract-conflict"
    assert table.run("intake", "data.intake=null")[1]["errors"][0]["code"] == "no-intake"
    assert table.run("intake", "--watch")[1]["errors"][0]["code"] == "no-cron"


def test_two_at_once_take_everything_once(files, monkeypatch):
    """The slower one begins again from what the quicker one took."""
    files.take()
    files.deliver("b.csv", (3, 10, 30))
    commit, others = StoreWriter.commit_intake, []

    def slowly(self, intake, snapshot):
        if not others:
            others.append(1)
            files.deliver("c.csv", (4, 10, 40))
            assert files.take()["rows"] == 4
        return commit(self, intake, snapshot)

    monkeypatch.setattr(StoreWriter, "commit_intake", slowly)
    assert files.take()["new_version"] is False
    assert files.versions == [2, 4]


KILLED = """
import os, signal, sys
from mlops_compiler.cli import main
from mlops_compiler.store.records import StageRecord
from mlops_compiler.store.writer import StoreWriter, open_writer
StoreWriter.commit_intake = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main(["intake", "recipe=orders"])
"""


def test_one_that_is_killed_leaves_the_last_version_and_the_next_takes_all_once(files):
    files.take()
    files.deliver("b.csv", (3, 10, 30))
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=files.root, env=os.environ, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert files.versions == [2]
    assert counts(files.take()) == {"rows": 3, "new": 1}
    assert files.versions == [2, 3]


def test_a_lost_store_goes_on_from_its_backup(files):
    """L-ACQ-8: what the next intake must know is copied with the version."""
    kept = f"data.snapshot.backups=[{files.root / 'backup'}]"
    files.take(kept)
    shutil.rmtree(files.root / ".mlops")
    assert files.run("data", "restore", kept)[0] == 0
    (files.root / "recipes/in/a.csv").unlink()
    files.deliver("b.csv", (3, 10, 30))
    said = files.take(kept)
    assert (said["intake"], counts(said)) == (2, {"rows": 3, "new": 1})


def test_what_each_took_is_shown(files, capsys):
    files.take()
    files.deliver("b.csv", (3, 10, 30), (1, 8, 10))
    files.take()
    cli.main(["data", "recipe=orders"])
    cli.main(["data", "show", "recipe=orders"])
    out = capsys.readouterr().out
    assert "+1 new, 1 repeated" in out
    assert "intake 2  new files" in out
    assert "in/b.csv" in out


class Script:
    """A clock whose waiting does what it is told to."""

    def __init__(self, *steps):
        self.steps, self.time = list(steps), datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self):
        return self.time

    def wait(self, seconds):
        self.time += timedelta(seconds=seconds)
        if self.time.minute:
            self.time = self.time.replace(minute=0) + timedelta(hours=1)
            self.steps.pop(0)()


@pytest.fixture
def heeded():
    """Let Ctrl-C reach this process: a shell that starts it in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda item: item.name)
def test_a_watch_outlives_a_failure_and_ends_in_words(files, capsys, monkeypatch, number):
    clock = Script(
        lambda: files.deliver("b.csv", (3, 10, 3000)),
        lambda: files.deliver("b.csv", (3, 10, 300)),
        lambda: os.kill(os.getpid(), number),
    )
    monkeypatch.setattr("mlops_compiler.commands.intake.WallClock", lambda: clock)
    code = cli.main(["intake", "recipe=orders", "--watch", 'data.intake={by: new_files, cron: "0 * * * *"}'])
    said = capsys.readouterr()
    assert code == 130
    assert "error[contract-range]" in said.err
    assert "watching ended: 3 intakes, 1 of them failed, 3 rows taken in" in said.err
    assert files.versions == [2, 3]


def test_versions_of_a_delta_table_are_as_files_are(shop):
    shop.write("{kind: delta, path: table}", "{by: new_files}")
    rows = {"id": [1, 2], "changed": [START] * 2, "amount": [1.0, 2.0], "paid": ["yes", "no"]}
    place = shop.root / "recipes" / "table"
    pl.DataFrame(rows).write_delta(place)
    assert counts(shop.take()) == {"rows": 2, "new": 2}
    pl.DataFrame({**rows, "id": [3, 4]}).write_delta(place, mode="append")
    assert counts(shop.take()) == {"rows": 4, "new": 2, "repeated": 2}
    assert shop.take()["new_version"] is False


def test_a_store_elsewhere_is_taken_from_as_well(files):
    there = ["store.url=memory://intake", f"store.database=sqlite:///{files.root}/metadata.db"]
    files.take(*there)
    files.deliver("b.csv", (3, 10, 30), (1, 8, 10))
    assert counts(files.take(*there)) == {"rows": 3, "new": 1, "repeated": 1}
    assert [item["intake"]["new"] for item in files.run("data", *there)[1]] == [2, 1]
    assert files.run("plan", *there)[1]["stages"][0]["action"] == "reuse"
