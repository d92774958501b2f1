"""What the clients of a service would notice of the next release: requests that would be refused, answers that change.

A request is broken by a field that becomes needed, is of another type, or takes less than before; what takes more
breaks nobody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops.intake import Check
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.service_contract import request_fields
from mlops_compiler.plan.rival import in_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_compiler.ir.program import Program
    from mlops_compiler.store.reader import StoreReader

_WIDER = {"int": ("float",), "category": ("text",)}
"""Types that take whatever the first one takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractChange:
    """One thing that a client would notice.

    Attributes:
        field: The field of the request; ``answer`` where it is about what comes back.
        text: What changes, in one sentence.
        breaks: Whether a request that is right today would be refused, or its answer be misread.
    """

    field: str
    text: str
    breaks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What the next release means for those who ask the current one.

    Attributes:
        release: The number of the release compared with.
        url: Where it is served; None where it is not.
        changes: What they would notice.
    """

    release: int
    url: str | None
    changes: tuple[ContractChange, ...]


def clients(program: Program, store: StoreReader) -> Clients | None:
    """Compare what a program's service would ask with the live release, else the last one; None where there is none."""
    live = store.foremost(program.name)
    if (release := in_place(program.name, store)) is None:
        return None
    manifest = json.loads(store.objects.get(release.manifest))
    url = None if live is None else f"http://{live.host}:{live.port}{live.route}"
    return Clients(release=release.number, url=url, changes=tuple(_changes(program, manifest)))


def _changes(program: Program, manifest: Mapping[str, Any]) -> Iterator[ContractChange]:
    now = {field["name"]: field for field in request_fields(program)}
    before = {field["name"]: field for field in manifest["request"]}
    for name, field in now.items():
        if name in before:
            yield from _changed(before[name], field)
        elif field["required"]:
            yield _change(name, f"`{name}` ({field['type']}) would be needed", breaks=True)
        else:
            yield _change(name, f"`{name}` ({field['type']}) could be given", breaks=False)
    known = {column.name for column in program.the(Check)[1].columns}
    for name in before.keys() - now.keys():
        if name in known:
            yield _change(name, f"`{name}` would be taken and not used", breaks=False)
        else:
            yield _change(name, f"`{name}` would be refused as unknown", breaks=True)
    yield from _answers(program, manifest)


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[ContractChange]:
    name = now["name"]
    if before["type"] != now["type"]:
        wider = now["type"] in _WIDER.get(before["type"], ())
        yield _change(name, f"`{name}` would be {now['type']}, and is {before['type']}", breaks=not wider)
    if before["nullable"] and not now["nullable"]:
        yield _change(name, f"`{name}` could no longer be missing", breaks=True)
    elif now["nullable"] and not before["nullable"]:
        yield _change(name, f"`{name}` could be missing", breaks=False)
    yield from _bounds(name, before["range"], now["range"])
    yield from _values(name, before["one_of"], now["one_of"])
    if (pattern := now.get("pattern")) != before.get("pattern"):
        shown = f"only what matches {pattern}" if pattern else "any text"
        yield _change(name, f"`{name}` would take {shown}", breaks=pattern is not None)


def _bounds(name: str, before: list[float] | None, now: list[float] | None) -> Iterator[ContractChange]:
    if before == now:
        return
    narrower = now is not None and (before is None or now[0] > before[0] or now[1] < before[1])
    shown = "any number" if now is None else f"{now[0]:g} to {now[1]:g}"
    was = "any number" if before is None else f"{before[0]:g} to {before[1]:g}"
    yield _change(name, f"`{name}` would take {shown}, and takes {was}", breaks=narrower)


def _values(name: str, before: list[Any] | None, now: list[Any] | None) -> Iterator[ContractChange]:
    if before is None and now is None:
        return
    if before is None:
        yield _change(name, f"`{name}` would take {len(now or ())} values only", breaks=True)
        return
    if now is None:
        yield _change(name, f"`{name}` would take any value", breaks=False)
        return
    if gone := [value for value in before if value not in now]:
        yield _change(name, f"`{name}` would no longer take {', '.join(map(repr, gone))}", breaks=True)
    if added := [value for value in now if value not in before]:
        yield _change(name, f"`{name}` would take {', '.join(map(repr, added))} as well", breaks=False)


def _answers(program: Program, manifest: Mapping[str, Any]) -> Iterator[ContractChange]:
    split = program.the(Split)[1]
    for what, before, now in (
        ("task", manifest["task"], split.task),
        ("target", manifest["target"], split.target),
        ("positive value", manifest["positive"], split.positive),
    ):
        if before != now:
            yield _change("answer", f"the {what} would be {now!r}, and is {before!r}", breaks=True)


def _change(field: str, text: str, *, breaks: bool) -> ContractChange:
    return ContractChange(field=field, text=text, breaks=breaks)
