"""What an entry of the audit log says beside who did what: steps of a rollout as sentences, all else as facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.serving.rollout import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOTHING: tuple[Any, ...] = (None, "", [], {})


def in_words(payload: Mapping[str, Any], release: int | None) -> str:
    """Tell what an entry says.

    Args:
        payload: The entry's payload.
        release: The release that it is about.
    """
    if "verdict" in payload and release is not None:
        return sentence(payload, release).removeprefix(f"release {release} ")
    return listed(payload, _rounded)


def listed(values: Mapping[str, Any] | None, write: Callable[[Any], str] = str) -> str:
    """Write what is known as names and values, one after the other.

    Args:
        values: The values by name.
        write: Writes a value; as it is, where not given.
    """
    return ", ".join(f"{name} {write(value)}" for name, value in (values or {}).items() if value not in _NOTHING)


def _rounded(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " ".join(map(_rounded, value))
    return f"({listed(value, _rounded)})" if isinstance(value, dict) else str(value)
