"""An examination of the whole store, as `doctor` makes one: when asked for, one at a time, with its progress."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING

from mlops_compiler.console.doctor_findings import (
    of_artifacts,
    of_audit,
    of_faults,
    of_metadata,
    of_runs,
    of_service,
    of_space,
)
from mlops_compiler.console.doctor_view import Finding
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.store.health import Fault, state_of, users
from mlops_compiler.ui.services import replicas_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.ui.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """How far an examination is, or what it found.

    Attributes:
        began: In seconds since 1970.
        ended: Likewise; None while it goes on.
        done: Artifacts that were hashed anew.
        of: How many there are.
        findings: What was found.
    """

    began: float
    ended: float | None = None
    done: int = 0
    of: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def share(self) -> float:
        """How much is done."""
        return self.done / self.of if self.of else 0.0

    @property
    def wrong(self) -> int:
        """How many things are wrong."""
        return sum(finding.state == "wrong" for finding in self.findings)


class Examiner:
    """Examines a store in a thread of its own.

    Attributes:
        last: The examination that goes on, or went last; None before the first.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self._lock = Lock()
        self.last: Examination | None = None

    def start(self) -> None:
        """Begin an examination, where none goes on."""
        with self._lock:
            if self.last is not None and self.last.ended is None:
                return
            self.last = Examination(began=time.time())
        Thread(target=self._examine, args=(self.last.began,), name="examine", daemon=True).start()

    def _examine(self, began: float) -> None:
        try:
            store = self._window.store()
            findings = [of_metadata(store), *self._artifacts(store, began)]
            findings += [of_service(item, replicas_of(item)) for item in store.deployments()]
            findings += [*of_audit(store), *of_runs(store), *of_space(store)]
        except MlopsError as error:
            found = error.diagnostics[0]
            findings = [Finding(what="store", state="wrong", told=found.headline, mend=found.help)]
        done = self.last or Examination(began=began)
        self.last = Examination(began=began, ended=time.time(), done=done.done, of=done.of, findings=tuple(findings))

    def _artifacts(self, store: StoreReader, began: float) -> Iterator[Finding]:
        named, found = users(store), []
        for done, (digest, who) in enumerate(named.items(), start=1):
            state = state_of(store.objects, digest)
            if state != "whole":
                found.append(Fault(digest=digest, state=state, users=who))
            self.last = Examination(began=began, done=done, of=len(named))
        yield of_artifacts(len(named), found)
        yield from of_faults(found)
