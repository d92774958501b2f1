from __future__ import annotations

import re
import subprocess
import sys

from mlops_compiler.console.diagnostics_view import print_diagnostics
from mlops_compiler.console.history import DeploymentView, print_run, print_runs, print_status
from mlops_compiler.console.plan_view import PlanRow, print_plan
from mlops_compiler.diagnostics import Diagnostic, Note, Severity, Span, render_text
from mlops_compiler.store.records import Deployment, RunRecord

T0 = 1795418452.0


def run(run_id="20261123-072052-3f9c", **more):
    usual = {
        "run_id": run_id,
        "recipe": "churn",
        "status": "succeeded",
        "started": T0,
        "finished": T0 + 64,
        "pid": 1,
        "host": "box",
        "overrides": ["search.trials=4"],
        "summary": {"release": 3},
        "plan": [
            {"stage": "snapshot", "action": "reuse", "reason": "nothing changed", "fingerprint": "ab"},
            {"stage": "search", "action": "new", "reason": "was never run", "fingerprint": "cd"},
        ],
    }
    return RunRecord(**{**usual, **more})


def deployment(**more):
    usual = {
        "recipe": "churn",
        "release": 3,
        "route": "/churn",
        "host": "127.0.0.1",
        "port": 8000,
        "address": "127.0.0.1:6379",
        "pid": 4312,
        "created": T0,
        "app": "churn",
        "session": "",
        "settings": {},
    }
    return Deployment(**{**usual, **more})


class TestPlan:
    ROWS = (
        PlanRow(stage="snapshot", action="reuse", reason="nothing changed"),
        PlanRow(
            stage="search",
            action="rebuild",
            reason="search.trials: 30 → 60",
            extra="60 trials, 30 known\non the CPU",
        ),
        PlanRow(stage="report", action="new", reason="was never run"),
    )

    def test_each_stage_its_action_and_why(self, any_screen):
        print_plan("churn", self.ROWS, any_screen.console)
        assert any_screen.lines == [
            "plan of churn",
            "  snapshot  reuse    nothing changed",
            "  search    rebuild  search.trials: 30 → 60",
            "                     60 trials, 30 known",
            "                     on the CPU",
            "  report    new      was never run",
            "",
            "2 to run, 1 reused",
        ]

    def test_a_long_reason_is_broken_under_itself(self, screen):
        print_plan("churn", [PlanRow(stage="search", action="rebuild", reason="word " * 30)], screen.console)
        assert max(map(len, screen.lines)) <= 80
        assert screen.lines[2].startswith(" " * 19 + "word")


class TestHistory:
    def test_no_runs(self, screen):
        print_runs([], screen.console)
        assert screen.lines == ["no runs are recorded"]

    def test_a_line_a_run(self, any_screen):
        missed = {"criteria": [{"metric": "roc_auc", "met": False}]}
        runs = [
            run(),
            run("r2", status="rejected", summary=missed),
            run("r3", status="running", finished=None, summary={}),
        ]
        print_runs(runs, any_screen.console)
        assert "20261123-072052-3f9c" in any_screen.text
        assert "release 3" in any_screen.text
        assert "rejected" in any_screen.text
        assert "missed" in any_screen.text
        assert max(map(len, any_screen.lines)) <= any_screen.console.width

    def test_one_run_shows_stages_criteria_metrics_and_events(self, screen, events, criteria, evaluation):
        summary = {
            "criteria": criteria,
            "release": 3,
            **{name: evaluation[name] for name in ("metrics", "baseline")},
        }
        print_run(run(summary=summary), events, screen.console)
        shown = screen.lines
        assert "    search    new    12.0 s  4 trials, best net 0.8300" in shown
        assert "    f1        0.6214  0.0000" in shown
        assert any("at least 0.83" in line for line in shown)
        assert any(line.endswith("search: 4/4: trial 3 net: failed") for line in shown)
        assert any("search.trials=4" in line for line in shown)

    def test_one_run_shows_what_ended_its_search_and_what_that_took(self, screen, events):
        ended = {"by": "cpu_hours", "trials": 3, "of": 4}
        spent = {"cpu_seconds": 90.0, "gpu_seconds": 0.0}
        print_run(run(summary={"search": {"ended": ended, "spent": spent}}), events, screen.console)
        assert any("ended by its CPU-hours after 3 of 4 trials" in line for line in screen.lines)
        assert any("1 min 30 s of a core" in line for line in screen.lines)

    def test_a_run_that_only_began(self, screen):
        print_run(run(status="lost", finished=None, summary={}, plan=[], overrides=[]), [], screen.console)
        assert screen.lines[0] == "churn 20261123-072052-3f9c  lost"


class TestStatus:
    def test_nothing_is_deployed(self, screen):
        print_status([], screen.console)
        assert screen.lines == ["nothing is deployed"]

    def test_where_it_listens_and_how_it_is(self, screen):
        views = [
            DeploymentView(deployment=deployment(), state="healthy", replicas=2),
            DeploymentView(deployment=deployment(recipe="fraud"), state="gone", detail="its engine is not running"),
        ]
        print_status(views, screen.console)
        assert "churn  release 3 in development  healthy" in screen.lines
        assert "  url       http://127.0.0.1:8000/churn" in screen.lines
        assert "fraud  release 3 in development  gone" in screen.lines
        assert "  detail  its engine is not running" in screen.lines


class TestDiagnostics:
    SPAN = Span(
        source="recipes/churn.yaml",
        line=38,
        column=38,
        length=5,
        text="  scale: {op: standardize, columns: [tenur, x]}",
    )
    FOUND = (
        Diagnostic(
            code="unknown-column",
            headline="step `scale` uses column `tenur`, which `monthly_rate` does not produce, however long this is",
            span=SPAN,
            notes=(Note(text="21 columns reach this step"),),
            help="did you mean `tenure`?",
        ),
        Diagnostic(code="odd", headline="odd", severity=Severity.WARNING),
    )

    def test_a_program_reads_the_very_text(self, screen):
        print_diagnostics(self.FOUND, screen.console)
        assert screen.text == render_text(self.FOUND) + "\n"

    def test_a_person_sees_colours(self, terminal):
        print_diagnostics(self.FOUND, terminal.console)
        assert "\x1b[1;31merror[unknown-column]:\x1b[0m" in terminal.text
        assert "\x1b[1;33mwarning[odd]:\x1b[0m" in terminal.text
        assert "\x1b[1;31m^^^^^\x1b[0m" in terminal.text
        assert "\x1b[32m   = help: did you mean `tenure`?\x1b[0m" in terminal.text

    def test_no_color_is_honoured(self, colourless):
        print_diagnostics(self.FOUND, colourless.console)
        assert "error[unknown-column]:" in colourless.text
        assert not re.search(r"\x1b\[(\d+;)*3\dm", colourless.text)

    def test_no_text_steers_the_terminal(self, screen):
        print_diagnostics([Diagnostic(code="odd", headline="\x1b[2J\x9b31m\r[red]x")], screen.console)
        assert screen.text == "error[odd]: \\x1b[2J\\x9b31m\\x0d[red]x\n"


def test_results_and_messages_go_their_own_ways():
    code = (
        "from mlops_compiler.console.streams import messages, results;"
        "results().print('result [b]'); messages().print('message [b]')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "result [b]\n"
    assert done.stderr == "message [b]\n"


def test_importing_loads_no_engine():
    heavy = ["altair", "vl_convert", "jinja2", "pandas", "sklearn", "torch", "ray", "sqlalchemy", "polars"]
    code = f"import sys, mlops_compiler.console.history, mlops_compiler.console.progress, mlops_compiler.console.summary; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
