"""Who is to blame for a trial that does not come back, and how often it is tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from mlops_compiler.backends.ray.losses import Loss, Losses, loss_of


def died(text):
    error = ActorDiedError()
    error.error_msg = text
    return error


UNKNOWN = "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR"


@pytest.mark.parametrize(
    ("error", "blame", "reason"),
    [
        pytest.param(died(UNKNOWN), "process", "its process died", id="process"),
        pytest.param(None, "process", "its process died", id="nothing known"),
        pytest.param(
            died("The actor died because its node has died. Node Id: 4711"), "node", "its node was lost", id="node"
        ),
        pytest.param(
            ActorUnavailableError("rpc", b"\x00" * 16), "node", "nothing more was heard of its process", id="silence"
        ),
        pytest.param(
            died("Task was killed due to the node running low on memory."),
            "process",
            "its process was ended, as its node ran out of memory",
            id="memory",
        ),
        pytest.param(
            RayTaskError("fit", "Traceback ...", TypeError("no such luck")).as_instanceof_cause(),
            "trial",
            "TypeError: no such luck",
            id="its own",
        ),
    ],
)
def test_a_loss_says_what_was_lost(error, blame, reason):
    loss = loss_of(error)
    assert (loss.blame, loss.reason) == (blame, reason)


CRASH = Loss(blame="process", reason="its process died", node="here")


def test_a_trial_may_end_one_process():
    losses = Losses()
    assert losses.take(3, CRASH, {"here"}) is None
    assert losses.take(4, CRASH, {"here"}) is None, "a trial does not pay for another"
    assert losses.take(3, CRASH, {"here"}) == "its process died, 2 times"


def test_a_process_that_ended_with_its_node_is_not_held_against_the_trial():
    losses = Losses()
    taken = [losses.take(3, replace(CRASH, node=name), {"head", name}) for name in ("a", "b", "c", "d")]
    assert taken == [None, None, None, "its process died, after 3 other losses"]


def test_an_error_of_its_own_is_not_tried_again():
    loss = loss_of(RayTaskError("fit", "", TypeError("no")))
    assert Losses().take(3, loss, {"here"}) == "TypeError: no"
