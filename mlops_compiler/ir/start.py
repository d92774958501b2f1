"""A point that a search tries first, since it was good before: a proposal that is judged like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.space import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One point of one model.

    Attributes:
        model: The model's name in the recipe.
        parameters: A value for each parameter that is open, and that the earlier search knew.
        point: What it decides of the preparation, beside the dimensions that are open; empty where none is.
    """

    model: str
    parameters: tuple[tuple[str, Any], ...]
    point: Point = ()

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        parameters = {name: list(value) if isinstance(value, tuple) else value for name, value in self.parameters}
        return {"model": self.model, "parameters": parameters, "point": list(self.point)}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Start:
        """Read it back."""
        parameters = tuple((name, as_value(value)) for name, value in written["parameters"].items())
        return cls(model=written["model"], parameters=parameters, point=tuple(written["point"]))


def as_value(written: Any) -> Any:
    """Read a value of a parameter: JSON has lists where a domain has tuples."""
    return tuple(written) if isinstance(written, list) else written
