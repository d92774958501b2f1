"""A registry maps names to objects; a plugin adds one by an entry point, and is imported once asked for.

Names come from the metadata of the installed distributions, so that listing them imports no plugin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """The objects of one sort that recipes can name.

    Args:
        group: The entry-point group in which plugins announce theirs, e.g. ``mlops_compile.models``.
        builtin: The objects that ship with the compiler.

    Raises:
        ValueError: On first need of the plugins: a name is registered twice.
    """

    def __init__(self, group: str, builtin: Mapping[str, T]) -> None:
        self.group = group
        self._loaded = dict(builtin)

    @cached_property
    def _plugins(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=self.group):
            if point.name in self._loaded or point.name in found:
                raise ValueError(f"two registrations of {point.name!r} in {self.group}: one of them is {point.value}")
            found[point.name] = point
        return dict(sorted(found.items()))

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            self._loaded[name] = self._load(self._plugins[name])
        return self._loaded[name]

    def _load(self, point: EntryPoint) -> T:
        try:
            loaded: T = point.load()
        except Exception as error:
            error.add_note(f"while loading the plugin {point.name!r} of {self.group} ({point.value})")
            raise
        return loaded

    def __contains__(self, name: object) -> bool:
        return name in self._loaded or name in self._plugins

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names: the built-in ones in their order, then the plugins' by name."""
        builtin = [name for name in self._loaded if name not in self._plugins]
        return iter([*builtin, *self._plugins])

    def __len__(self) -> int:
        return len(list(iter(self)))
