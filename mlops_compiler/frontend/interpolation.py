"""``${a.b}`` stands for the value of another key, and for nothing else: a recipe calls no function.

OmegaConf could resolve more, and without bounds: a few lines of references to references grow without end.
So references are checked in the text before OmegaConf sees it, and resolved here, on a budget.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.frontend.yaml_spans import KeyPath

_OPENING = re.compile(r"(?P<slashes>\\*)\$\{(?P<inner>[^{}$]*)(?P<end>\}?)")
_KEYS = re.compile(r"[\w\-]+(\.[\w\-]+)*")
_MAX_CHAIN = 32
_MAX_NODES = 100_000
_MAX_CHARACTERS = 4 * 1024 * 1024
MISSING = "???"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a reference.

    Attributes:
        code: The code of its diagnostic.
        text: The headline.
        help: What to do.
        written: The characters to blame.
    """

    code: str
    text: str
    help: str | None
    written: str


class TooLargeError(ValueError):
    """The references of a recipe make more than a recipe may hold."""


def problems(text: str) -> Iterator[Problem]:
    """Find what a text may not say in ``${...}``, before anything is resolved."""
    for found in _OPENING.finditer(text):
        if len(found["slashes"]) % 2:
            continue
        written = found[0][len(found["slashes"]) :]
        if ":" in found["inner"]:
            name = found["inner"].partition(":")[0]
            yield Problem(
                code="resolver-call",
                text=f"`${{{name}:...}}` would call a function; a recipe may only refer to its own keys",
                help="let the shell put the value into the command, as in key=$VALUE",
                written=written,
            )
        elif not found["end"] or _KEYS.fullmatch(found["inner"]) is None:
            yield Problem(
                code="bad-reference",
                text=f"`{written}` is no reference to a key",
                help="write the whole path of a key, as in ${search.trials}; \\${ stands for the characters",
                written=written,
            )


def resolve(config: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[KeyPath, Problem]]]:
    """Put the values of keys in the place of references to them.

    Returns:
        The configuration without references, and where one could not be resolved. What cannot be
        resolved stays as it is.

    Raises:
        TooLargeError: The result would be larger than any recipe may be.
    """
    resolver = _Resolver(root=config)
    return resolver.node(config, ()), resolver.found


@dataclass(slots=True, kw_only=True)
class _Resolver:
    root: dict[str, Any]
    found: list[tuple[KeyPath, Problem]] = field(default_factory=list)
    following: list[str] = field(default_factory=list)
    nodes: int = 0
    characters: int = 0

    def node(self, value: Any, path: KeyPath) -> Any:
        self._spend(value)
        match value:
            case dict():
                return {key: self.node(item, (*path, key)) for key, item in value.items()}
            case list():
                return [self.node(item, (*path, index)) for index, item in enumerate(value)]
            case str() if value == MISSING:
                return self._problem(path, _still_missing(path), value)
            case str() if "${" in value:
                return self._text(value, path)
        return value

    def _spend(self, value: Any) -> None:
        self.nodes += 1
        self.characters += len(value) if isinstance(value, str) else 0
        if self.nodes > _MAX_NODES or self.characters > _MAX_CHARACTERS:
            raise TooLargeError

    def _text(self, text: str, path: KeyPath) -> Any:
        whole = _OPENING.fullmatch(text)
        if whole is not None and not whole["slashes"]:
            return self._follow(whole["inner"], whole[0], path)
        return _OPENING.sub(lambda found: self._inside(found, path), text)

    def _inside(self, found: re.Match[str], path: KeyPath) -> str:
        slashes, written = found["slashes"], found[0][len(found["slashes"]) :]
        if len(slashes) % 2:
            return slashes[: len(slashes) // 2] + written
        value = self._follow(found["inner"], written, path)
        if isinstance(value, dict | list):
            problem = Problem(
                code="bad-reference",
                text=f"`{written}` is a mapping or a list: it is no part of a text",
                help=None,
                written=written,
            )
            return str(self._problem(path, problem, written))
        self._spend(text := _as_text(value))
        return slashes[: len(slashes) // 2] + text

    def _follow(self, reference: str, written: str, path: KeyPath) -> Any:
        if reference in self.following or len(self.following) >= _MAX_CHAIN:
            return self._problem(path, _endless(written), written)
        target: Any = self.root
        for step in reference.split("."):
            target, known = _step(target, step)
            if target is _ABSENT:
                return self._problem(path, _unknown(written, step, known), written)
        self.following.append(reference)
        value = self.node(target, path)
        self.following.pop()
        return value

    def _problem(self, path: KeyPath, problem: Problem, value: Any) -> Any:
        self.found.append((path, problem))
        return value


_ABSENT = object()


def _step(target: Any, step: str) -> tuple[Any, list[str]]:
    if isinstance(target, dict):
        return target.get(step, _ABSENT), list(target)
    if isinstance(target, list) and step.isdigit() and int(step) < len(target):
        return target[int(step)], []
    return _ABSENT, []


def _as_text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _unknown(written: str, step: str, known: list[str]) -> Problem:
    return Problem(
        code="bad-reference",
        text=f"`{written}` refers to a key that the recipe does not have",
        help=did_you_mean(step, known, otherwise="the keys there are"),
        written=written,
    )


def _endless(written: str) -> Problem:
    return Problem(
        code="bad-reference",
        text=f"`{written}` leads back to itself",
        help="one of the keys on the way needs a value of its own",
        written=written,
    )


def _still_missing(path: KeyPath) -> Problem:
    dotted = ".".join(map(str, path))
    return Problem(
        code="missing-key",
        text=f"`{dotted}` is still to be given",
        help=f"give it on the command line, as in {dotted}=VALUE",
        written=MISSING,
    )
