from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_compiler.console.summary import RunSummary, print_summary

COMMAND = (
    "curl -X POST http://127.0.0.1:8000/churn -H 'content-type: application/json' -d @a_customer_with_a_long_name.json"
)
REPORT = "/a/folder/with/a/very/long/name/so/that/it/does/not/fit/into/eighty/columns/.mlops/reports/churn/r1.html"


@pytest.fixture
def summary(leaderboard, criteria, evaluation):
    return RunSummary(
        recipe="churn",
        run_id="r1",
        status="succeeded",
        seconds=64.2,
        ran=["search", "report"],
        reused=["snapshot"],
        release=3,
        criteria=criteria,
        leaderboard=leaderboard,
        selection={"trial": 9, "reason": "It is the simplest within one standard error."},
        evaluation=evaluation,
        report=REPORT,
        next_commands=[("deploy", "mlops-compile deploy recipe=churn"), ("ask it", COMMAND)],
    )


def test_it_says_what_happened_first(summary, any_screen):
    print_summary(summary, any_screen.console)
    assert any_screen.lines[0] == "✓ churn: release 3, both criteria met  1 min 04 s"


def test_what_ended_the_search_stands_below_its_trials(summary, screen):
    ended = {"by": "time", "trials": 10, "of": 80}
    print_summary(replace(summary, leaderboard={**summary.leaderboard, "ended": ended}), screen.console)
    assert "    ended by its time after 10 of 80 trials" in screen.lines


def test_every_criterion_stands_with_its_value_bound_and_baseline(summary, screen):
    print_summary(summary, screen.console)
    assert "    ✓  roc_auc   0.8467  at least 0.83  baseline 0.5000" in screen.lines
    assert "    ✓  log_loss  0.4127  at most 0.45   baseline 0.5786" in screen.lines


def test_a_missed_criterion_is_told_apart_even_where_rounding_would_hide_it(summary, screen):
    missed = {**summary.criteria[0], "value": 0.829998, "met": False}
    rejected = replace(summary, status="rejected", release=None, criteria=[missed, summary.criteria[1]])
    print_summary(rejected, screen.console)
    assert screen.lines[0].startswith("✗ churn: not released, 1 of 2 criteria missed")
    assert any(line.startswith("    ✗  roc_auc   0.829998  at least 0.83") for line in screen.lines)


SURE = {
    "intervals": {"roc_auc": [0.8214, 0.8701], "log_loss": [0.3902, 0.4366], "f1": [0.58, 0.66]},
    "interval": {"level": 0.95, "method": "percentile", "samples": 2000, "drawn": "rows", "units": 1409},
    "against": {
        "baseline": {
            "roc_auc": {"gain": 0.3467, "low": 0.32, "high": 0.37, "p": 0.0005},
            "f1": {"gain": 0.01, "low": -0.02, "high": 0.04, "p": 0.4},
        }
    },
    "reported": ["roc_auc", "f1"],
}


def test_every_metric_says_how_sure_it_is(summary, screen):
    """L-SEL-2."""
    validation = {"roc_auc": {"mean": 0.8512, "std": 0.0122}, "f1": {"mean": 0.61, "std": None}}
    criteria = [{**summary.criteria[0], "interval": [0.8214, 0.8701]}, summary.criteria[1]]
    known = {**summary.evaluation, **SURE}
    print_summary(
        replace(summary, evaluation=known, criteria=criteria, selection={"trial": 9, "validation": validation}),
        screen.console,
    )
    text = "\n".join(screen.lines)
    assert "  Metrics  on the holdout; 2,000 bootstrap samples of 1,409 rows" in text
    assert "    roc_auc  0.8467  0.8214 to 0.8701  0.8512 ± 0.0122  0.5000" in text
    assert "    f1       0.6214  0.5800 to 0.6600           0.6100  0.0000 *" in text
    assert "    * no better than the baseline" in text
    assert "0.8467  0.8214 to 0.8701  at least 0.83" in text
    assert "log_loss  0.4127" not in text.split("Metrics")[1], "only what the recipe reports"


def test_the_best_the_chosen_and_the_baseline_are_shown(summary, screen):
    print_summary(summary, screen.console)
    trials = [line for line in screen.lines if "trial " in line]
    assert len(trials) == 8 + 1 + 1
    assert "trial 9, chosen" in trials[8]
    assert "trial 0, baseline" in trials[9]
    assert "    and 4 more: 2 complete, 1 stopped early, 1 failed" in screen.lines


def test_money_stands_beside_the_trivial_policies(summary, screen):
    print_summary(summary, screen.console)
    assert "    6,610  with the model  1,915 calling everyone  \N{MINUS SIGN}37,400 calling no one" in screen.lines


@pytest.mark.parametrize("text", [COMMAND, REPORT], ids=["command", "path"])
def test_what_is_to_be_copied_is_never_broken(summary, any_screen, text):
    print_summary(summary, any_screen.console)
    assert any(text in line for line in any_screen.lines)


def test_everything_else_fits_the_width(summary, any_screen):
    print_summary(replace(summary, report=None, next_commands=()), any_screen.console)
    assert max(map(len, any_screen.lines)) <= any_screen.console.width


def test_a_run_that_reused_everything_says_so_and_shows_the_same(summary, screen):
    print_summary(replace(summary, ran=(), reused=["snapshot", "search", "report"]), screen.console)
    assert screen.lines[1] == "  Nothing had to run: this is the result of earlier runs."
    assert any("trial 9, chosen" in line for line in screen.lines)


@pytest.mark.parametrize("name", ["leaderboard", "selection", "evaluation", "report", "release"])
def test_a_part_that_is_absent_leaves_the_rest(summary, screen, name):
    print_summary(replace(summary, **{name: None}), screen.console)
    assert screen.lines[0].startswith("✓ churn")


def test_a_run_that_failed_says_no_more_than_it_knows(screen):
    print_summary(RunSummary(recipe="churn", run_id="r1", status="failed", seconds=1.0), screen.console)
    assert screen.lines[0] == "✗ churn: failed  1.00 s"


def test_no_text_steers_the_terminal(summary, terminal):
    print_summary(replace(summary, recipe="\x1b[2J[red]churn", report="\x1b]8;;x"), terminal.console)
    assert "\x1b[2J" not in terminal.text
    assert "\x1b]" not in terminal.text
    assert "[red]churn" in terminal.text


def test_every_gain_beside_the_release_in_place_is_read_whole(summary, any_screen):
    gain = {"gain": -0.0103, "low": -0.0233, "high": 0.0028, "p": 0.13}
    names = ["average_precision", "roc_auc"]
    rival = {"release": 3, "fair": True, "metrics": dict.fromkeys(names, 0.6626), "gains": dict.fromkeys(names, gain)}
    print_summary(
        replace(summary, rival=rival, evaluation={**summary.evaluation, "reported": names}), any_screen.console
    )
    (line,) = (line for line in any_screen.lines if "average_precision" in line and "may be chance" in line)
    assert "0.6626  \N{MINUS SIGN}0.0103 (\N{MINUS SIGN}0.0233 to 0.0028)" in line
    assert ("p = 0.13" in line) is (any_screen.console.width > 80)
