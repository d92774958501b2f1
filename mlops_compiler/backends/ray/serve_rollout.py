"""Takes a new release to all traffic step by step, beside the one in place; whatever goes wrong, that one serves on.

The new release runs as an application of its own, which has no route: only the replicas of the release in place ask
it, as many requests as the board tells them to.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from mlops_compiler.backends.ray import serve_actions
from mlops_compiler.backends.ray.serve_board import NAMESPACE, Board, board_name
from mlops_compiler.diagnostics import Diagnostic, EngineError, Note, UsageError
from mlops_compiler.serving.replay import held_out, must_be_equal, replay
from mlops_compiler.serving.rollout import PATIENT
from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.serving.tally import Tally, judge
from mlops_compiler.serving.traffic import Policy
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.served import VERIFICATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_compiler.backends.ray.serve_app import AppSpec
    from mlops_compiler.serving.replay import Send
    from mlops_compiler.serving.rollout import Rollout

    Tell = Callable[[dict[str, Any]], None]
    """Is told how it goes on: ``step``, and what is known of it."""

_LOOK_SECONDS = 0.5
_WAIT_SECONDS = 10.0
_SETTLE_SECONDS = 5.0
_REPLAY_SECONDS = 60.0


def candidate_of(app: str) -> str:
    """Name the application of a release that is not in place yet."""
    return f"{app}--candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a rollout.

    Attributes:
        name: ``shadow``, ``canary`` or ``blue_green``.
        share: Of the traffic that the new release answers.
        number: Counts from 1; the version of the policy.
    """

    name: str
    share: float
    number: int


def steps_of(rollout: Rollout) -> tuple[Step, ...]:
    """List the steps that are watched."""
    return tuple(
        Step(name=rollout.kind if share else "shadow", share=share, number=number)
        for number, share in enumerate(rollout.shares, start=1)
    )


@contextmanager
def beside(spec: AppSpec, rollout: Rollout, tell: Tell) -> Iterator[None]:
    """Bring a release up beside the one in place, try it, and give it traffic step by step.

    Inside, the last step goes on: there the release is to take the place. Afterwards nothing is left beside it.

    Raises:
        EngineError: It does not come up, answers otherwise than offline, or is taken back.
    """
    app, steps = candidate_of(spec.app), steps_of(rollout)
    serve_actions.remove(app)  # of a rollout that was cut off
    tell({"step": "candidate", "app": app})
    try:
        sized = spec if steps else replace(spec, replicas=(1, 1))
        serve_actions.run(replace(sized, candidate=True), app=app)
        if rollout.replay:
            replayed(spec, rollout.replay, through(app), tell)
        if not steps:
            serve_actions.remove(app)  # the one in place may need the room to be replaced
            yield
            return
        with _board(spec.app) as board:
            for step in steps:
                _watch(board, step, spec, rollout, tell)
            yield
    finally:
        serve_actions.remove(app)


def check_room(spec: AppSpec, rollout: Rollout) -> None:
    """Refuse a rollout for which the cluster has no room: the release in place, the new one, and those that follow it.

    Raises:
        UsageError: It has too few cores, or GPUs.
    """
    import ray

    replicas, has = 3 * spec.replicas[0], ray.cluster_resources()
    lacks = serve_actions.short_of(spec, replicas, has.get("CPU", 0), has.get("GPU", 0))
    if rollout.shares and lacks is not None:
        raise UsageError([_no_room(lacks)])


def replayed(spec: AppSpec, most: int, send: Send, tell: Tell) -> None:
    """Send rows of the holdout through a release, and compare its answers with those of the evaluation.

    Raises:
        EngineError: It answers otherwise (`replay-differs`), or not at all.
    """
    store = open_reader(spec.location)
    release = store.release(spec.recipe, spec.release)
    held = held_out(store, release, most) if release is not None else None
    if held is None:
        tell({"step": "replay", "rows": 0, "warning": "the store keeps no holdout of the release: nothing is replayed"})
        return
    tell({"step": "replaying", "rows": held.rows.height})
    found = replay(held, send)
    tell({"step": "replay", **found.to_json()})
    must_be_equal(found, spec.release)


def through(app: str) -> Send:
    """Ask an application past its route, as the replicas of the release in place ask a new one."""
    import ray
    from ray import serve

    handle = serve.get_app_handle(app)

    def send(body: bytes) -> tuple[int, Any]:
        try:
            status, answer = handle.ask.remote(body, {"role": VERIFICATION}).result(timeout_s=_REPLAY_SECONDS)
        except (TimeoutError, ray.exceptions.RayError) as error:
            return 0, serve_actions.last_line(str(error)) or type(error).__name__
        return status, orjson.loads(answer)

    return send


@contextmanager
def _board(app: str) -> Iterator[Any]:
    """Put up a board, and take it down once no request is on its way to the new release any more."""
    import ray

    board = ray.remote(num_cpus=0)(Board).options(name=board_name(app), namespace=NAMESPACE).remote()
    try:
        yield board
    finally:
        try:
            _settle(board)
        finally:
            ray.kill(board)


def _settle(board: Any) -> None:
    """Give all traffic to the release in place, and wait until every replica does."""
    _ask(board.steer.remote(None))
    until = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        found = _ask(board.read.remote())
        if not found["lag"] and not found["in_flight"]:
            return


def _ask(reference: Any) -> Any:
    import ray

    return ray.get(reference, timeout=_WAIT_SECONDS)


def _watch(board: Any, step: Step, spec: AppSpec, rollout: Rollout, tell: Tell) -> None:
    """Give the release its share of the traffic, and watch it.

    Raises:
        EngineError: It is taken back.
    """
    _ask(board.steer.remote(_policy(step, spec, rollout).to_json()))
    tell({"step": step.name, "share": step.share, "hold": rollout.hold})
    started, tally = time.monotonic(), Tally()

    def ended(verdict: str, **more: str) -> None:
        held = time.monotonic() - started
        facts = {"step": f"{step.name}-ended", "share": step.share, "held": held, **tally.summary()}
        tell({**facts, "verdict": verdict, **more})

    try:
        while True:
            time.sleep(_LOOK_SECONDS)
            tally, held = Tally.from_json(_ask(board.read.remote())["tally"]), time.monotonic() - started
            enough = tally.new.requests >= rollout.min_requests
            reason = judge(tally, rollout.limits, ended=enough and held >= rollout.hold) or _fallen(spec)
            if reason is not None:
                ended("taken back", reason=reason)
                raise EngineError([_taken_back(spec, step, reason)])
            if held >= rollout.hold * (1 if enough else PATIENT):
                few = f"{tally.new.requests} requests in {held:.0f} s: too few to judge the release by"
                ended("passed", **({} if enough else {"warning": few}))
                return
    except SystemExit:
        with suppress(OSError):  # who was told may be gone
            ended("interrupted")
        raise


def _policy(step: Step, spec: AppSpec, rollout: Rollout) -> Policy:
    return Policy(
        version=step.number,
        release=spec.release,
        app=candidate_of(spec.app),
        share=step.share,
        shadow=step.name == "shadow",
        patience=min(rollout.limits.patience, ServiceSettings.from_json(spec.settings).limits.deadline / 2),
        slow=rollout.limits.latency_p99,
        tolerance=rollout.tolerance,
    )


def _fallen(spec: AppSpec) -> str | None:
    """Say that the new release does not stay up."""
    found = serve_actions.state(candidate_of(spec.app))
    if found["status"] in ("unhealthy", "gone"):
        return f"its replicas do not stay up: {found.get('message') or found['status']}"
    return None


def _no_room(lacks: Diagnostic) -> Diagnostic:
    return Diagnostic(
        code="unsatisfiable-resources",
        headline=f"while a release takes the place of another in steps, {lacks.headline}",
        help="set fewer `deploy.replicas.min`, or leave out the steps: `deploy.rollout.kind=all_at_once`",
    )


def _taken_back(spec: AppSpec, step: Step, reason: str) -> Diagnostic:
    share = "in its shadow" if step.name == "shadow" else f"at {step.share:.0%} of the traffic"
    return Diagnostic(
        code="release-taken-back",
        headline=f"release {spec.release} of `{spec.recipe}` is taken back {share}: {reason}",
        notes=(Note(text="the release in place answers all requests; none was lost"),),
        help="what was seen of it is in the audit log; ask its replicas: "
        f"mlops-compile logs recipe={spec.recipe} environment={spec.environment}",
    )
