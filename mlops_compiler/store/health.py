"""Whether a store is whole: every object that a record names is hashed anew; and what can be done where one is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from mlops_compiler.store.backup import is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mlops_compiler.store.objects import Objects
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.writer import StoreWriter

State: TypeAlias = Literal["whole", "damaged", "missing"]
_LASTING = frozenset({"snapshot", "intake"})
"""Stages whose objects come from outside: a run makes them again only where the source still has the same rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A record that names an object.

    Attributes:
        recipe: The recipe's name; None of a fold, which every recipe shares that asks for the same trial.
        what: ``stage``, ``fold`` or ``release``.
        name: The stage's name, the fold's fingerprint, or the release's number.
        output: Which of its outputs.
    """

    recipe: str | None
    what: Literal["stage", "fold", "release"]
    name: str
    output: str

    @property
    def lasts(self) -> bool:
        """Whether no run can be trusted to make the object again."""
        return self.what == "stage" and self.name in _LASTING

    def __str__(self) -> str:
        """Say who it is."""
        match self.what:
            case "fold":
                return "the predictions of a fold"
            case "release":
                return f"{self.recipe} release {self.name}"
            case _:
                return f"{self.recipe} {self.name}" + ("" if self.output == self.name else f" ({self.output})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An object that is not what its name says.

    Attributes:
        digest: Its name.
        state: ``damaged`` or ``missing``.
        users: The records that name it.
    """

    digest: str
    state: State
    users: tuple[User, ...]

    @property
    def lasts(self) -> bool:
        """Whether no run can be trusted to make it again."""
        return any(user.lasts for user in self.users)

    @property
    def recipe(self) -> str | None:
        """The recipe that names it; None where only folds do."""
        return next((user.recipe for user in self.users if user.recipe), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What became of a fault.

    Attributes:
        fault: The fault.
        outcome: ``restored`` from another place; ``removed``, so that a run makes it again; or ``lost``.
    """

    fault: Fault
    outcome: Literal["restored", "removed", "lost"]


def users(store: StoreReader) -> dict[str, tuple[User, ...]]:
    """Find every object that a record names, with the records."""
    found: dict[str, dict[User, None]] = {}
    for digest, user in _named(store):
        found.setdefault(digest, {})[user] = None
    return {digest: tuple(them) for digest, them in found.items()}


def _named(store: StoreReader) -> Iterator[tuple[str, User]]:
    for stage in store.every_stage():
        for output, digest in stage.outputs.items():
            yield digest, User(recipe=stage.recipe, what="stage", name=stage.name, output=output)
    for fingerprint, digest in store.every_prediction().items():
        yield digest, User(recipe=None, what="fold", name=fingerprint, output="predictions")
    for release in store.every_release():
        yield release.manifest, User(recipe=release.recipe, what="release", name=str(release.number), output="manifest")


def faults(store: StoreReader, named: Mapping[str, tuple[User, ...]]) -> list[Fault]:
    """Hash every object anew and list those that are not what their name says."""
    states = {digest: state_of(store.objects, digest) for digest in named}
    return [
        Fault(digest=digest, state=state, users=named[digest]) for digest, state in states.items() if state != "whole"
    ]


def state_of(objects: Objects, digest: str) -> State:
    """Hash one object anew."""
    if not objects.exists(digest):
        return "missing"
    return "whole" if is_whole(objects, digest) else "damaged"


def repair(found: Iterable[Fault], store: StoreWriter, places: Sequence[Objects]) -> list[Repair]:
    """Bring back what another place has whole; remove what is damaged, and folds whose predictions are gone.

    What is removed is made again by the next run that needs it.

    Args:
        found: What to mend.
        store: Where.
        places: Other stores or backups; the first that has an object whole gives it.

    Raises:
        EngineError: A place cannot be read, or the store not be written.
    """
    return [Repair(fault=fault, outcome=_mend(fault, store, places)) for fault in found]


def _mend(fault: Fault, store: StoreWriter, places: Sequence[Objects]) -> Literal["restored", "removed", "lost"]:
    source = next((place for place in places if is_whole(place, fault.digest)), None)
    content = None if source is None else source.get(fault.digest)
    store.objects.discard(fault.digest)
    if content is not None:
        store.objects.put(content)
        return "restored"
    store.forget_folds([user.name for user in fault.users if user.what == "fold"])
    return "lost" if fault.lasts else "removed"
