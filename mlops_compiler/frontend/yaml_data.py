"""YAML 1.1 scalars become Python values, with OmegaConf's reading of numbers and no dates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_CORE = "tag:yaml.org,2002:"
# `1e3` is a float for people, if not for YAML 1.1; OmegaConf reads it so too.
_EXPONENT = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$")
if TYPE_CHECKING:
    from yaml import SafeLoader as _FastLoader
else:  # written in C where PyYAML has that: several times faster, the same marks
    _FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Parser(_FastLoader):
    """YAML's safe parser without dates; a date in a recipe is a text."""


Parser.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in {f"{_CORE}timestamp", f"{_CORE}value"}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Parser.add_implicit_resolver(f"{_CORE}float", _EXPONENT, list("-+0123456789"))

_scalars = yaml.constructor.SafeConstructor()


def construct(root: yaml.MappingNode) -> Mapping[str, Any]:
    """Make the data of a checked node; fresh containers each time."""
    data: dict[str, Any] = _value(root)
    return data


def _value(node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return {key.value: _value(value) for key, value in node.value}
        case yaml.SequenceNode():
            return [_value(item) for item in node.value]
        case yaml.ScalarNode():
            return scalar(node)
        case _:
            raise TypeError(f"no such node: {node!r}")


def scalar(node: yaml.ScalarNode) -> bool | float | str | None:
    """Make the value of a scalar node.

    Raises:
        ValueError: It looks like a number and is none.
    """
    match node.tag.removeprefix(_CORE):
        case "null":
            return None
        case "bool":
            return bool(_scalars.construct_yaml_bool(node))
        case "int":
            return int(_scalars.construct_yaml_int(node))
        case "float":
            return float(_scalars.construct_yaml_float(node))
        case _:
            return str(node.value)
