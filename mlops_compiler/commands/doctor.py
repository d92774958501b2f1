"""`doctor` examines all that is kept and all that is served; `--repair` mends what can be mended."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import DONE, ENGINE
from mlops_compiler.commands.service import state_of_service
from mlops_compiler.console.doctor_findings import (
    of_artifacts,
    of_audit,
    of_faults,
    of_metadata,
    of_repairs,
    of_runs,
    of_service,
    of_space,
)
from mlops_compiler.console.doctor_view import print_findings
from mlops_compiler.console.streams import messages, results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError
from mlops_compiler.store.backup import Backup
from mlops_compiler.store.health import faults, repair, users
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.store.reader import StoreReader


def doctor(store: StoreReader, _recipe: str | None, invocation: Invocation) -> int:
    """Examine the metadata, every artifact, the runs, the services and the disk; 3 where something is not as it should.

    Raises:
        UsageError: A place is given, and nothing to repair from it.
        EngineError: The metadata cannot be read at all, a place not be read, or the store not be written.
    """
    mends, place = "--repair" in invocation.flags, invocation.options.get("--from")
    if place is not None and not mends:
        raise UsageError([_no_repair(place)])
    with messages().status("hashing every artifact anew"):
        named = users(store)
        found = faults(store, named)
    findings = [of_metadata(store), of_artifacts(len(named), found)]
    if mends and found:
        places = [Backup(place).objects] if place else []
        found_again = repair(found, open_writer(store.location), places)
        findings += of_repairs(found_again)
    else:
        findings += of_faults(found)
    services = (of_service(item, state_of_service(item)) for item in store.deployments())
    findings += [*of_audit(store), *of_runs(store), *services, *of_space(store)]
    if invocation.as_json:
        invocation.print_json([asdict(finding) for finding in findings])
    else:
        print_findings(store.location.shown, findings, results())
    return ENGINE if any(finding.state == "wrong" for finding in findings) else DONE


def _no_repair(place: str) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline="`--from` names where to repair from, and `--repair` is not given",
        span=Span.of_token(place),
        help=f"write: mlops-compile doctor --repair --from {place}",
    )
