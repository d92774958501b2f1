"""One job of Hydra's becomes a composed recipe: its references resolved, its layers followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlops_compiler.diagnostics import Diagnostic, RecipeError
from mlops_compiler.frontend.composed import Composed
from mlops_compiler.frontend.interpolation import resolve
from mlops_compiler.frontend.overrides import parse
from mlops_compiler.frontend.provenance import FileLayer, Provenance, TokenLayer, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hydra.conf import HydraConf
    from omegaconf import DictConfig

    from mlops_compiler.frontend.loader import Layer, RecipeLoader
    from mlops_compiler.frontend.yaml_spans import KeyPath


def compose_job(config: DictConfig, settings: HydraConf, loader: RecipeLoader) -> Composed:
    """Turn what Hydra hands to a job into plain data with provenance.

    Raises:
        RecipeError: A reference leads nowhere, or a value is still to be given.
    """
    overrides = tuple(settings.overrides.task)
    layers = loader.layers(overrides)
    recipe = next(layer for layer in reversed(layers) if layer.is_recipe).document
    provenance = Provenance.of([*_files(layers), *_tokens(overrides, loader)], recipe.start)
    number = None if OmegaConf.is_missing(settings.job, "num") else int(settings.job.num)
    return Composed(
        config=_resolved(config, provenance),
        provenance=provenance,
        recipe_name=recipe.path.stem,
        recipe_path=recipe.path,
        root=_root(layers, provenance) or recipe.path.parent,
        overrides=overrides,
        job_num=number,
    )


def _root(layers: Sequence[Layer], provenance: Provenance) -> Path | None:
    """Find the folder of the file that names the source: a recipe that builds on another may lie elsewhere."""
    origin = provenance.origins.get(("data", "source", "path"))
    named = [layer.document for layer in layers if origin and layer.document.start.source == origin.value.source]
    return named[-1].path.parent if named else None


def _files(layers: Sequence[Layer]) -> Iterator[FileLayer]:
    for layer in layers:
        yield FileLayer(
            data=layer.document.data,
            places=layer.document.places,
            start=layer.document.start,
            package=tuple(layer.package.split(".")) if layer.package else (),
        )


def _tokens(overrides: Sequence[str], loader: RecipeLoader) -> Iterator[TokenLayer]:
    for token in parse(overrides):
        is_group = loader.choices.is_group(token.key)
        if not is_group or isinstance(token.value, dict):
            yield TokenLayer(
                token=token.text,
                path=_key_path(token.key),
                value=token.value,
                removes=token.override.is_delete(),
            )


def _key_path(key: str) -> KeyPath:
    return tuple(int(part) if part.isdigit() else part for part in key.split("."))


def _resolved(config: DictConfig, provenance: Provenance) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(config, resolve=False)
    resolved, problems = resolve(plain)
    findings = [
        Diagnostic(
            code=problem.code,
            headline=problem.text,
            span=within(provenance.value_span(path), problem.written),
            help=problem.help,
        )
        for path, problem in problems
    ]
    if findings:
        raise RecipeError(findings)
    return resolved
