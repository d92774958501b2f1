"""`intake` takes in what is new of a source that is taken in piece by piece: once, or each time that its cron fires."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import DONE, print_json
from mlops_compiler.commands.duty import Duty
from mlops_compiler.commands.notices import Notices
from mlops_compiler.commands.signals import interruptible
from mlops_compiler.commands.taking import Result, take_in
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.commands.watching import WallClock
from mlops_compiler.console.intake_view import print_intake
from mlops_compiler.console.streams import results, say
from mlops_compiler.diagnostics import Diagnostic, UsageError, render_json
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.recipe.feedback import first_time
from mlops_compiler.store.intakes import intakes
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.commands.watching import Clock
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.recipe.recipe import Recipe


def intake(composed: Composed, invocation: Invocation) -> int:
    """Take rows in.

    Returns:
        0 where an intake came to its end, whether or not there was anything new; 130 where watching was ended.

    Raises:
        UsageError: The recipe takes its source as a whole, or has no cron to watch.
        MlopsError: The intake failed; what was taken before is as it was.
    """
    recipe = validate(composed)
    if recipe.data.intake is None:
        raise UsageError([_no_intake(composed.recipe_name)])
    if "--watch" in invocation.flags:
        return _watched(composed, recipe, invocation, WallClock())
    notices = Notices.of(composed, invocation, "intake")
    with interruptible(), notices.of_failure():
        result = take_in(composed, recipe, notices, anew="--anew" in invocation.flags)
    _tell(result, recipe, invocation, notices)
    return DONE


def _tell(result: Result, recipe: Recipe, invocation: Invocation, notices: Notices) -> None:
    rows = f"{result.took:,} row{'' if result.took == 1 else 's'}"
    headline = f"intake {result.number} took {rows} in: version {result.version}" if result.took else "nothing new"
    called = notices.composed.recipe_name
    untold = notices.succeeded(
        headline, kinds={"success", "intake"} if result.took else set(), next_=f"mlops-compile recipe={called}"
    )
    found = (*result.warnings, *untold)
    tell_beside(found, invocation.style)
    if invocation.as_json:
        indent = None if "--watch" in invocation.flags or invocation.sweeps else 2
        print_json({"recipe": recipe.name, **result.to_json(), "warnings": render_json(found)}, indent=indent)
    else:
        print_intake(recipe.name, called, result.to_json(), results())


def _watched(composed: Composed, recipe: Recipe, invocation: Invocation, clock: Clock) -> int:
    """Take rows in at each time of the cron, whatever becomes of one intake, until Ctrl-C or SIGTERM."""
    assert recipe.data.intake is not None  # noqa: S101 - asked before
    cron = recipe.data.intake.cron
    if cron is None or first_time(cron) is None:
        raise UsageError([_no_cron(composed.recipe_name)])
    store = open_writer(store_location(recipe.store))
    flags = {"--anew"} & invocation.flags
    taken: list[int] = []

    def take(notices: Notices) -> None:
        say(f"{clock.now():%Y-%m-%d %H:%M:%S} UTC")
        result = take_in(composed, recipe, notices, anew=bool(flags))
        flags.clear()
        taken.append(result.took)
        _tell(result, recipe, invocation, notices)

    done = intakes(store, recipe.name)
    last = datetime.fromtimestamp(done[-1].started, UTC) if done and not flags else None
    duty = Duty(
        what="intake", work="intake", attempt=take, closing=lambda: f"{sum(taken):,} rows taken in", store=store
    )
    return duty.do(composed, invocation, (cron, last), clock)


def _no_intake(called: str) -> Diagnostic:
    return Diagnostic(
        code="no-intake",
        headline=f"`{called}` takes its source in as a whole, each time that it runs",
        help="to take in what is new, say how to know it: data.intake={by: new_files}, or {by: watermark, column: ...}",
    )


def _no_cron(called: str) -> Diagnostic:
    return Diagnostic(
        code="no-cron",
        headline=f"`{called}` does not say when to take rows in",
        help='add `cron: "*/10 * * * *"` under `data.intake`: minute, hour, day, month, day of the week, in UTC',
    )
