"""A search domain replaces another one; Hydra, which knows mappings only, would merge the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write

from mlops_compiler.ir.domain import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    KeyPath = tuple[str, ...]


def is_domain(value: Any) -> bool:
    """Whether a value is a mapping that says one domain: ``{choice: [1, 2]}``."""
    return isinstance(value, dict) and len(value) == 1 and value.keys() <= DOMAINS.keys()


def settle_domains(config: DictConfig, written: Iterable[tuple[KeyPath, Any]]) -> None:
    """Where layers of a composition wrote several domains in one place, keep the last one.

    A step of the preparation may be a domain, too: it replaces a plain step, and a plain step replaces it.

    Args:
        config: The composition; changed in place.
        written: What each layer wrote, first merged first, and where. Two domains that one layer wrote itself
            stay: that is a mistake, and told as one.
    """
    layers = list(written)
    for path in list(_merged(config)):
        values = [value for at, content in layers if (value := _beneath(content, at, path)) is not None]
        if values and is_domain(values[-1]):
            _replace(config, path, values[-1])
    for path in list(_mixed(config.get("prepare"), ("prepare",))):
        values = [value for at, content in layers if (value := _beneath(content, at, path)) is not None]
        inside = any(at[: len(path)] == path and len(at) > len(path) for at, _ in layers)
        last = max((index for index, value in enumerate(values) if is_domain(value)), default=None)
        if last is not None and not inside and not _is_mixed(values[last]):
            _replace(config, path, OmegaConf.merge(*values[last + 1 :]) if values[last + 1 :] else values[last])


def _merged(node: DictConfig, path: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in node.items_ex(resolve=False):
        if isinstance(value, DictConfig) and not value._is_none() and not value._is_missing():  # noqa: SLF001
            if len(value) > 1 and set(value) <= DOMAINS.keys():
                yield (*path, str(key))
            else:
                yield from _merged(value, (*path, str(key)))


def _mixed(node: Any, path: KeyPath) -> Iterator[KeyPath]:
    """Find where a domain was merged with keys of a plain mapping."""
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing():  # noqa: SLF001
        return
    for key, value in node.items_ex(resolve=False):
        if isinstance(value, DictConfig) and _is_mixed(value):
            yield (*path, str(key))
        else:
            yield from _mixed(value, (*path, str(key)))


def _is_mixed(value: Any) -> bool:
    if not isinstance(value, dict | DictConfig) or len(value) < 2:  # noqa: PLR2004 - a domain, and something else
        return False
    return any(isinstance(value.get(key), list | ListConfig) for key in DOMAINS if key in value)


def _beneath(content: Any, at: KeyPath, path: KeyPath) -> Any:
    """Find what a layer wrote at a path; None where it wrote nothing there."""
    if path[: len(at)] != at:
        return None
    for key in path[len(at) :]:
        if not isinstance(content, dict) or key not in content:
            return None
        content = content[key]
    return content


def _replace(config: DictConfig, path: KeyPath, value: Any) -> None:
    parent = config
    for key in path[:-1]:
        parent = parent[key]
    with read_write(parent), open_dict(parent):  # in its place: steps run in the order written
        parent[path[-1]] = value
