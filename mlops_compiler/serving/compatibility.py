"""Whether clients of one release can go on with another: every request that the old one takes must be taken by the new.

And what it answers must mean the same. Reads two manifests; asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Manifest = Mapping[str, Any]
    Field = Mapping[str, Any]

_TAKES = {("int", "float"), ("category", "text"), ("text", "category")}
"""Types, old and new, where the new one takes each value of the old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different for a client.

    Attributes:
        breaking: Whether a client that knew the old release may fail with the new one.
        text: What it is, in a sentence.
    """

    breaking: bool
    text: str


def changes(old: Manifest, new: Manifest) -> tuple[Change, ...]:
    """List what is different for a client between two releases, what breaks it first.

    Args:
        old: The manifest of the release in place.
        new: That of the one to come.
    """
    found = [*_requests(old, new), *_answers(old, new)]
    return tuple(sorted(found, key=lambda change: not change.breaking))


def must_be_compatible(found: tuple[Change, ...], old: int, new: int) -> None:
    """Refuse a release that its clients would fail with.

    Args:
        found: What is different.
        old: The number of the release in place.
        new: That of the one to come.

    Raises:
        DataError: Something breaks them; all of it is told.
    """
    if breaking := [change for change in found if change.breaking]:
        raise DataError([_incompatible(breaking, old, new)])


def _requests(old: Manifest, new: Manifest) -> Iterator[Change]:
    before, after = _fields(old), _fields(new)
    for name, field in after.items():
        if name in before:
            yield from _field(before[name], field)
        elif field["required"]:
            yield _breaks(f"field `{name}` is new, and required")
        else:
            yield _adds(f"field `{name}` is new, and may be left out")
    taken = {*after, *new.get("unused", ()), *filter(None, [new.get("key")])}
    for name in before:
        if name not in after:
            yield _gone(name, taken)
    for name in sorted({*old.get("unused", ()), *filter(None, [old.get("key")])} - taken - set(before)):
        yield _breaks(f"`{name}` could be sent, and is refused now")


def _gone(name: str, taken: set[str]) -> Change:
    if name in taken:
        return _adds(f"field `{name}` may be sent, and is not looked at any more")
    return _breaks(f"field `{name}` is gone, and is refused where a client sends it")


def _field(old: Field, new: Field) -> Iterator[Change]:
    name = new["name"]
    if old["type"] != new["type"]:
        takes = (old["type"], new["type"]) in _TAKES
        yield Change(breaking=not takes, text=f"field `{name}` was {old['type']}, and is {new['type']}")
    yield from _missing(old, new)
    yield from _range(name, old.get("range"), new.get("range"))
    yield from _levels(f"field `{name}`", old.get("one_of"), new.get("one_of"))
    if (before := old.get("pattern")) != (after := new.get("pattern")):
        if after is None:
            yield _adds(f"field `{name}` need not match {before} any more")
        else:
            yield _breaks(f"field `{name}` must match {after}")


def _missing(old: Field, new: Field) -> Iterator[Change]:
    name = new["name"]
    if old["required"] != new["required"]:
        yield (_breaks if new["required"] else _adds)(
            f"field `{name}` {'is required now' if new['required'] else 'may be left out'}"
        )
    if bool(old["nullable"]) != bool(new["nullable"]):
        yield (_adds if new["nullable"] else _breaks)(
            f"field `{name}` {'may be null' if new['nullable'] else 'must not be null any more'}"
        )


def _range(name: str, old: list[float] | None, new: list[float] | None) -> Iterator[Change]:
    if old == new:
        return
    narrower = new is not None and (old is None or new[0] > old[0] or new[1] < old[1])
    text = f"field `{name}` was {_between(old)}, and is {_between(new)}"
    yield Change(breaking=narrower, text=text)


def _between(bounds: list[float] | None) -> str:
    return "not bounded" if bounds is None else f"from {bounds[0]:g} to {bounds[1]:g}"


def _levels(what: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[Change]:
    if old is None and new is not None:
        yield _breaks(f"{what} could be anything, and is one of {listing(map(str, new))}")
    elif old is not None and new is None:
        yield _adds(f"{what} was one of {listing(map(str, old))}, and can be anything")
    elif old is not None and new is not None:
        if lost := [str(level) for level in old if level not in new]:
            yield _breaks(f"{what} has lost {listing(lost)}")
        if more := [str(level) for level in new if level not in old]:
            yield _adds(f"{what} has {listing(more)} besides")


def _answers(old: Manifest, new: Manifest) -> Iterator[Change]:
    for what in ("task", "target", "positive", "key"):
        if (before := old.get(what)) != (after := new.get(what)):
            yield _breaks(f"the {what} was {_named(before)}, and is {_named(after)}: answers mean something else")
    if old.get("task") == new.get("task"):
        yield from _levels("what is decided", old.get("classes"), new.get("classes"))
    if old.get("threshold") != new.get("threshold"):
        yield _adds(f"the threshold was {_named(old.get('threshold'))}, and is {_named(new.get('threshold'))}")


def _named(value: Any) -> str:
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else f"`{value}`"


def _fields(manifest: Manifest) -> dict[str, Field]:
    return {field["name"]: field for field in manifest["request"] if field["name"] != manifest.get("key")}


def _breaks(text: str) -> Change:
    return Change(breaking=True, text=text)


def _adds(text: str) -> Change:
    return Change(breaking=False, text=text)


def _incompatible(breaking: list[Change], old: int, new: int) -> Diagnostic:
    return Diagnostic(
        code="incompatible-release",
        headline=f"clients of release {old} would fail with release {new}, in {len(breaking)} "
        f"{'way' if len(breaking) == 1 else 'ways'}",
        notes=tuple(Note(text=change.text) for change in breaking),
        help="tell the clients first, then deploy with `verify.compatible=false`; or give it a route of its own",
    )
