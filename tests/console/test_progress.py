from __future__ import annotations

import pytest

from mlops_compiler.console.plan_view import PlanRow
from mlops_compiler.console.progress import Progress
from mlops_compiler.console.progress_picture import picture
from mlops_compiler.console.progress_state import ProgressState
from mlops_compiler.store.records import Event

ESCAPE = "\x1b"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def state_after(events):
    state = ProgressState()
    for event in events:
        state.apply(event)
    return state


def drawn(screen, events, **more):
    now = events[-1].time
    screen.console.print(picture(state_after(events), now=now, width=screen.console.width, **more))
    return "\n".join(screen.lines)


class TestPlainLines:
    @pytest.fixture
    def lines(self, screen, events):
        with Progress(screen.console) as progress:
            for event in events:
                progress.feed(event)
        assert ESCAPE not in screen.text
        return screen.lines

    def test_one_line_for_each_event_that_is_worth_one(self, lines):
        assert [line[14:] for line in lines] == [
            "snapshot: started",
            "snapshot: done in 0.80 s, 7,043 rows x 21 columns",
            "search: started",
            "the cluster has no GPU",
            "search: 4 trials x 3 folds of baseline, net, 1 known already",
            "search: 2/4: trial 1 net: 0.8300 over 3 folds (best so far)",
            "search: 3/4: trial 2 net: stopped after 1 of 3 folds at 0.9000",
            "search: 4/4: trial 3 net: failed",
            "search: done in 12.0 s, 4 trials, best net 0.8300",
            "release: started",
            "release: done in 0.10 s, release 3",
        ]

    def test_lines_begin_with_the_time_since_the_first_event(self, lines):
        assert lines[1].startswith("      1.00 s  ")


def test_what_ended_a_search_is_told_where_it_is_not_the_number_of_trials(screen, events):
    end = {"by": "patience", "trials": 3, "of": 4, "cpu_seconds": 9.0, "gpu_seconds": 0.0}
    at = next(place for place, event in enumerate(events) if event.payload.get("stage") == "search" and place > 3)
    told = [
        *events[:at],
        Event(id=99, run_id="r1", time=events[at].time, kind="search_ended", payload=end),
        *events[at:],
    ]
    with Progress(screen.console) as progress:
        for event in told:
            progress.feed(event)
    said = [line[14:] for line in screen.lines]
    assert "search: ended by patience after 3 of 4 trials" in said
    assert "search: done in 12.0 s, ended by patience after 3 of 4 trials, best net 0.8300" in said


class TestPicture:
    def test_a_running_search_shows_the_best_and_the_folds(self, screen, events):
        shown = drawn(screen, events[:9])
        assert "1/4 trials (1 known)" in shown
        assert "●●○" in shown
        assert "0.8300" in shown

    def test_the_best_is_a_complete_trial(self, screen, events):
        shown = drawn(screen, events[:13])
        assert "best so far  net" in shown
        assert "0.8300 roc_auc" in shown
        assert "0.9000" not in shown

    def test_a_lower_loss_is_better(self, events):
        planned = Event(id=1, run_id="r", time=0, kind="search_planned", payload={"trials": 2, "metric": "log_loss"})
        finished = [event for event in events if event.kind == "trial_finished"]
        search = state_after([planned, *finished]).search
        assert search is not None
        assert search.best is not None
        assert search.best.trial == 0

    def test_what_was_running_when_the_run_ended_was_stopped(self, screen, events):
        assert "stopped" in drawn(screen, events[:3], ended=True)

    def test_a_failed_stage_says_why(self, screen, events):
        failed = Event(
            id=9,
            run_id="r1",
            time=0,
            kind="stage_failed",
            payload={"stage": "search", "headline": "no memory"},
        )
        assert "✗  search" in drawn(screen, [*events[:3], failed])
        assert "no memory" in "\n".join(screen.lines)

    def test_many_running_trials_are_counted(self, screen, events):
        more = [
            Event(id=number, run_id="r", time=0, kind="trial_started", payload={"trial": number, "model": "net"})
            for number in range(20, 30)
        ]
        assert "and 4 more" in drawn(screen, [*events[:5], *more])

    def test_it_fits_its_width(self, any_screen, events):
        drawn(any_screen, events[:9])
        assert max(map(len, any_screen.lines)) <= any_screen.console.width


def searching(*more):
    """Plan a search of ten trials at 0 s, with a part of a GPU for each."""
    happened = [
        ("stage_started", {"stage": "search"}),
        ("search_planned", {"trials": 10, "folds": 2, "models": ["net"], "metric": "roc_auc"}),
        *more,
    ]
    return [
        Event(id=number, run_id="r", time=float(number), kind=kind, payload=payload)
        for number, (kind, payload) in enumerate(happened)
    ]


def trial(number, gpu=None):
    fold = {"trial": number, "fold": 0, "score": 0.8, **({"gpu": gpu} if gpu else {})}
    return [
        ("trial_started", {"trial": number, "model": "net"}),
        ("trial_placed", {"trial": number, "gpus": 0.25, "of": 2.0}),
        ("fold_finished", fold),
    ]


class TestGpus:
    def test_what_trials_hold_is_told_where_nothing_is_measured(self, screen):
        shown = drawn(screen, searching(*trial(0), *trial(1)))
        assert "2 fits, 0.5 of 2 GPUs held" in shown
        assert "busy" not in shown

    def test_what_was_measured_is_told(self, screen):
        shown = drawn(screen, searching(*trial(0, {"gpu_gib": 3.14, "gpu_of_gib": 79.6, "gpu_busy": 0.874})))
        assert "1 fit, 0.25 of 2 GPUs held, 87% busy, 3.1 of 80 GiB a trial" in shown

    def test_a_search_without_gpus_tells_of_none(self, screen):
        assert "GPU" not in drawn(screen, searching(trial(0)[0], trial(0)[2]))


def test_the_time_that_is_left_is_that_of_the_pace_so_far(screen):
    done = [("trial_finished", {"trial": number, "status": "complete", "score": 0.8}) for number in range(4)]
    assert "left" not in drawn(screen, searching(*done[:2]))
    now = searching(*done)[-1].time
    assert now == 5.0
    assert "at most 6.00 s left" in drawn(screen, searching(*done))  # 4 s for four, and six are to come


class TestLive:
    def test_the_last_picture_stays_and_the_cursor_comes_back(self, terminal, events):
        plan = [PlanRow(stage="split", action="reuse"), PlanRow(stage="report", action="new")]
        with Progress(terminal.console, plan, clock=lambda: 0.0) as progress:
            for event in events:
                progress.feed(event)
        assert "reused" in terminal.text
        assert "release 3" in terminal.text
        assert "the cluster has no GPU" in terminal.text
        assert terminal.text.rindex(SHOW_CURSOR) > terminal.text.rindex(HIDE_CURSOR)

    def test_an_interruption_passes_through_and_the_cursor_comes_back(self, terminal, events):
        def interrupted():
            with Progress(terminal.console) as progress:
                progress.feed(events[0])
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert terminal.text.rindex(SHOW_CURSOR) > terminal.text.rindex(HIDE_CURSOR)
        assert "stopped" in terminal.text


def test_a_terminal_that_cannot_redraw_gets_plain_lines(dumb, events):
    with Progress(dumb.console) as progress:
        progress.feed(events[0])
    assert dumb.lines == ["      0.00 s  snapshot: started"]


def test_an_event_of_an_unknown_kind_changes_nothing(screen):
    with Progress(screen.console) as progress:
        progress.feed(Event(id=1, run_id="r1", time=0.0, kind="something_newer", payload={}))
    assert screen.text == ""


@pytest.mark.parametrize("kind", ["stage_failed", "note"])
def test_no_text_steers_the_terminal(screen, kind):
    text = "\x1b[2J\x1b]0;title\x07[bold]not markup[/bold]"
    with Progress(screen.console) as progress:
        progress.feed(
            Event(id=1, run_id="r", time=0.0, kind=kind, payload={"stage": "s", "headline": text, "text": text})
        )
    assert ESCAPE not in screen.text
    assert "[bold]not markup[/bold]" in screen.text


def test_nested_validation_tells_its_outer_folds_and_their_trials(screen):
    told = [
        ("stage_started", {"stage": "nested"}),
        ("nested_trial", {"fold": 0, "folds": 3, "trials": 20, "done": 7}),
        ("nested_fold", {"fold": 0, "folds": 3, "model": "net"}),
    ]
    events = [
        Event(id=at + 1, run_id="r1", time=float(at), kind=kind, payload=payload)
        for at, (kind, payload) in enumerate(told)
    ]
    assert "outer fold 1 of 3, trial 7 of 20" in drawn(screen, events[:2])
    with Progress(screen.console) as progress:
        for event in events:
            progress.feed(event)
    assert screen.lines[-1].endswith("nested: outer fold 1 of 3: net")
