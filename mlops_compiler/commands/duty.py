"""What a command does again and again until Ctrl-C or SIGTERM, whatever becomes of one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import INTERRUPTED
from mlops_compiler.commands.notices import Notices
from mlops_compiler.commands.signals import interruptible
from mlops_compiler.commands.telling import tell, tell_beside
from mlops_compiler.commands.watching import watch
from mlops_compiler.console.streams import say
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.notify.telling import stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.commands.watching import Clock
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.writer import StoreWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something that is done again and again.

    Attributes:
        what: What it is, in a word.
        work: What notices call it.
        attempt: Does it once.
        closing: Says at the end what came of all attempts.
        store: Where it is noted down that one was late.
    """

    what: str
    work: str
    attempt: Callable[[Notices], None]
    closing: Callable[[], str]
    store: StoreWriter

    def do(
        self,
        composed: Composed,
        invocation: Invocation,
        times: tuple[str | float, datetime | None],
        clock: Clock,
    ) -> int:
        """Do it until that is ended.

        Args:
            composed: The recipe.
            invocation: The command line.
            times: A cron in UTC, or seconds; and when it was done last.
            clock: The time.
        """
        recipe = str(composed.config["name"])
        when, last = times
        count = failed = 0

        def attempt() -> None:
            nonlocal count, failed
            count += 1
            notices = Notices.of(composed, invocation, self.work, unattended=True)
            try:
                with notices.of_failure():
                    self.attempt(notices)
            except MlopsError as error:
                failed += 1
                tell(error.diagnostics, invocation.style)

        def late(text: str) -> None:
            say(text)
            self.store.add_event(stream(recipe), f"{self.what}_late", {"text": text})
            notices = Notices.of(composed, invocation, self.work, unattended=True)
            tell_beside(notices.missed(text), invocation.style)

        try:
            with interruptible():
                often = f"by cron {when} (UTC)" if isinstance(when, str) else f"every {when:g} s"
                say(f"watching {recipe} {often}; Ctrl-C ends it")
                watch(when, attempt, late, clock, last, self.what)
        except KeyboardInterrupt:
            lost = f", {failed} of them failed" if failed else ""
            say(f"\nwatching ended: {count} {self.what}s{lost}, {self.closing()}")
        return INTERRUPTED
