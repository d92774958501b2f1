"""`monitor` compares what a service was asked and answered with what its release was trained on: once, or for ever."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, REJECTED, print_json
from mlops_compiler.commands.duty import Duty
from mlops_compiler.commands.notices import Notices
from mlops_compiler.commands.predict import find_release
from mlops_compiler.commands.signals import interruptible
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.commands.watched import watch_of, window_of
from mlops_compiler.commands.watching import WallClock
from mlops_compiler.console.monitor_view import print_check
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError, render_json
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.recipe.amounts import parse_duration
from mlops_compiler.recipe.feedback import first_time
from mlops_compiler.store.records import service_name
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.commands.watching import Clock
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.monitoring.findings import Findings
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.records import Release
    from mlops_compiler.store.writer import StoreWriter

_FIRED = 5


def monitor(composed: Composed, invocation: Invocation) -> int:
    """Check what is served, record what is found, and tell whoever asked for it.

    Returns:
        0 where it is no alert, 1 where it is one; 130 where watching was ended.

    Raises:
        UsageError: The recipe has no section `monitor:`, or `since=` is no time.
        DataError: There is no release.
        EngineError: The store or what was logged cannot be read.
    """
    recipe = validate(composed)
    if recipe.monitor is None:
        raise UsageError([_not_watched(composed.recipe_name)])
    since = _since(invocation)
    if "--watch" in invocation.flags:
        return _watched(composed, recipe, invocation, WallClock())
    notices = Notices.of(composed, invocation, "monitor")
    with interruptible(), notices.of_failure():
        release, found = checked(recipe, datetime.now(UTC), since, invocation.number("release"))
    _tell(release, found, recipe, invocation, notices)
    return REJECTED if found.status == "alert" else DONE


def checked(
    recipe: Recipe, now: datetime, since: datetime | None = None, number: int | None = None
) -> tuple[Release, Findings]:
    """Check a release, and record what is found.

    Args:
        recipe: Says what is watched.
        now: The time.
        since: From when on to look, in place of the recipe's window.
        number: The release; the one that serves, or else the newest, where not given.
    """
    from mlops_compiler.monitoring.check import Observed, check
    from mlops_compiler.monitoring.observed import joined, traffic
    from mlops_compiler.monitoring.reference import reference_of

    assert recipe.monitor is not None  # noqa: S101 - asked before
    store = open_writer(store_location(recipe.store))
    whose = recipe.name, recipe.environment
    deployment = store.deployment(*whose)
    serving = number if number is not None or deployment is None else deployment.release
    release = find_release(store, recipe.name, serving)
    met = traffic(store.location, service_name(*whose))
    seen = Observed(
        joined=joined(store.location, service_name(*whose), release=release.number),
        traffic=met.filter((met["release"] == release.number) & (met["role"] != "shadow")),
        deployed=deployment.created if deployment is not None else None,
    )
    window = window_of(recipe.monitor, now, since)
    before = store.checks(*whose, limit=1000)
    found = check(reference_of(store, release), seen, window, watch_of(recipe), before)
    store.add_check(
        recipe=recipe.name,
        environment=recipe.environment,
        release=release.number,
        status=found.status,
        payload=found.to_json(),
    )
    return release, found


def _tell(release: Release, found: Findings, recipe: Recipe, invocation: Invocation, notices: Notices) -> None:
    named = f"recipe={notices.composed.recipe_name} environment={recipe.environment}"
    notices.run = f"release {release.number}"
    if found.status == "alert":
        counting = [rule for rule in found.fired if {rule.kind, rule.rule} & set(found.votes)]
        more = [f"and {len(counting) - _FIRED} more"] if len(counting) > _FIRED else []
        untold = notices.alerted(
            found.votes, [*(rule.why for rule in counting[:_FIRED]), *more], f"mlops-compile monitor {named}"
        )
    elif found.status == "blind":  # nothing was seen, so nothing is over
        untold = ()
    else:
        untold = notices.succeeded("no alert any more", kinds=set(), next_=f"mlops-compile monitor {named}")
    tell_beside(untold, invocation.style)
    told = {"recipe": recipe.name, "environment": recipe.environment, "release": release.number}
    told |= {"status": found.status, **found.to_json()}
    if invocation.as_json:
        indent = None if "--watch" in invocation.flags or invocation.sweeps else 2
        print_json({**told, "warnings": render_json(untold)}, indent=indent)
    else:
        print_check(told, results())


def _watched(composed: Composed, recipe: Recipe, invocation: Invocation, clock: Clock) -> int:
    """Check each time that it is due, whatever becomes of one check, until Ctrl-C or SIGTERM."""
    assert recipe.monitor is not None  # noqa: S101 - asked before
    cron = recipe.monitor.cron
    if cron is not None and first_time(cron) is None:
        raise UsageError([_never(cron)])
    store = open_writer(store_location(recipe.store))
    alerts: list[bool] = []

    def look(notices: Notices) -> None:
        release, found = checked(recipe, clock.now(), None, invocation.number("release"))
        alerts.append(found.status == "alert")
        _tell(release, found, recipe, invocation, notices)

    duty = Duty(what="check", work="monitor", attempt=look, closing=lambda: f"{sum(alerts)} alerts", store=store)
    return duty.do(composed, invocation, (cron or recipe.monitor.every, _last(store, recipe)), clock)


def _last(store: StoreWriter, recipe: Recipe) -> datetime | None:
    return next(
        (datetime.fromtimestamp(item.time, UTC) for item in store.checks(recipe.name, recipe.environment, limit=1)),
        None,
    )


def _since(invocation: Invocation) -> datetime | None:
    """Read `since=`: so long ago, or a time; in UTC where it names no zone."""
    text = invocation.arguments.get("since")
    if text is None:
        return None
    try:
        if re.fullmatch(r"[\d.]+\s*(ms|[smhd])", text):
            return datetime.now(UTC) - timedelta(seconds=_seconds(text))
        found = datetime.fromisoformat(text)
    except ValueError as error:
        headline = f"`since` takes a duration or a time, like 6h or 2026-11-01T12:00, not {text!r}"
        finding = Diagnostic(code="bad-argument", headline=headline, span=Span.of_token(f"since={text}"))
        raise UsageError([finding]) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _seconds(text: str) -> float:
    found: Any = parse_duration(text)
    return float(found)


def _not_watched(called: str) -> Diagnostic:
    return Diagnostic(
        code="no-monitor",
        headline=f"`{called}` does not say what is watched",
        help="add a section `monitor:`, or for this once: +monitor={drift: auto}",
    )


def _never(cron: str) -> Diagnostic:
    return Diagnostic(
        code="no-cron",
        headline=f"`{cron}` is a day that no year has: nothing is ever checked",
        help="minute, hour, day of the month, month, day of the week: `0 * * * *` is every hour",
    )
