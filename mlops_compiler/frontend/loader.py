"""Hydra's config loader, with our tokens before it and our messages after it.

Every mode of Hydra (a run, each job of a sweep, `--cfg`, `--info`, completion) composes here, so that what is
checked and rewritten holds for them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from mlops_compiler.diagnostics import Diagnostic, MlopsError, RecipeError
from mlops_compiler.frontend.choices import Choices, chosen_recipes
from mlops_compiler.frontend.domains import settle_domains
from mlops_compiler.frontend.folders import RECIPE, CheckedFolder
from mlops_compiler.frontend.hydra_errors import translated
from mlops_compiler.frontend.interpolation import TooLargeError, resolve
from mlops_compiler.frontend.overrides import parse, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.default_element import ResultDefault
    from hydra.core.object_type import ObjectType
    from omegaconf import DictConfig

    from mlops_compiler.frontend.recipe_text import Document
    from mlops_compiler.frontend.tokens import Token

PRIMARY = "mlops-compile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One file of a composition.

    Attributes:
        package: The section that it fills; empty for a whole recipe.
        document: The file.
        is_recipe: Whether it is a recipe, not an option of a group.
    """

    package: str
    document: Document
    is_recipe: bool


class RecipeLoader(ConfigLoaderImpl):
    """Composes recipes from checked files and checked overrides."""

    def __init__(self, search_path: ConfigSearchPath, choices: Choices, *, completing: bool = False) -> None:
        super().__init__(config_search_path=search_path)
        self.choices = choices
        self.completing = completing
        self._layers: dict[tuple[str, ...], list[Layer]] = {}
        self._composing: tuple[str, ...] = ()

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,  # noqa: FBT001, FBT002 - Hydra's signature
        validate_sweep_overrides: bool = True,  # noqa: FBT001, FBT002
    ) -> DictConfig:
        """Compose a configuration.

        Raises:
            UsageError: An override is wrong.
            RecipeError: A file is wrong.
        """
        if self.completing:
            overrides = [text for text in overrides if text.startswith(f"{RECIPE}=")]
        tokens = parse(overrides)
        ready = self._ready(tokens, run_mode) if config_name == PRIMARY else overrides
        self._composing = tuple(token.text for token in tokens if not token.is_hydras)
        with translated(tokens):
            config = super().load_configuration(config_name, ready, run_mode, from_shell, validate_sweep_overrides)
        settle_domains(config, self._written(tokens))
        _say_what_was_written(config, tokens)
        _check_size(config)
        return config

    def compute_defaults_list(self, config_name: str | None, overrides: list[str], run_mode: RunMode) -> Any:
        """List the files that a composition is made of, in Hydra's own order."""
        tokens = parse(overrides)
        ready = self._ready(tokens, run_mode) if config_name == PRIMARY else overrides
        with translated(tokens):
            return super().compute_defaults_list(config_name, ready, run_mode)

    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = None,
        config_name: str | None = None,  # noqa: ARG002 - neither name nor overrides change where we look
        overrides: list[str] | None = None,  # noqa: ARG002
    ) -> list[str]:
        """List what a group offers."""
        names: list[str] = self.repository.get_group_options(group_name, results_filter)
        return names

    def layers(self, overrides: Sequence[str]) -> list[Layer]:
        """Give the files that a composition with these overrides was made of, first merged first."""
        key = tuple(overrides)
        if key not in self._layers:
            defaults = self.compute_defaults_list(PRIMARY, list(overrides), RunMode.RUN).defaults
            self._layers[key] = self._as_layers(defaults)
        return self._layers[key]

    def _written(self, tokens: Sequence[Token]) -> Iterator[tuple[tuple[str, ...], Any]]:
        for layer in self._layers.get(self._composing, ()):
            yield tuple(layer.package.split(".")) if layer.package else (), layer.document.data
        for token in tokens:
            yield tuple(token.key.split(".")), token.value

    def _ready(self, tokens: Sequence[Token], run_mode: RunMode) -> list[str]:
        try:
            self.choices.check(tokens, sweeping=run_mode == RunMode.MULTIRUN)
        except MlopsError as error:
            if self.completing:  # Hydra completes what it can where nothing composes yet
                raise ConfigCompositionException from error
            raise
        named = self.choices.named_groups(chosen_recipes(tokens))
        return [
            rewritten(token, groups=self.choices.groups, named=named, locate=self.choices.locate) for token in tokens
        ]

    def _compose_config_from_defaults_list(self, defaults: list[ResultDefault], repo: Any) -> DictConfig:
        # The one place where Hydra shows what it is about to merge: remembered, not computed twice.
        self._layers[self._composing] = self._as_layers(defaults)
        return super()._compose_config_from_defaults_list(defaults, repo)

    def _as_layers(self, defaults: Sequence[ResultDefault]) -> list[Layer]:
        return [layer for default in defaults if (layer := self._as_layer(default)) is not None]

    def _as_layer(self, default: ResultDefault) -> Layer | None:
        path = default.config_path or ""
        for source in self.get_sources():
            if isinstance(source, CheckedFolder) and source.is_config(path):
                return Layer(
                    package=default.package or "",
                    document=source.document(path),
                    is_recipe=path.startswith(f"{RECIPE}/"),
                )
        return None


def _say_what_was_written(config: DictConfig, tokens: Sequence[Token]) -> None:
    """Let Hydra remember the overrides as typed: a sweep makes its jobs from them, and we our messages."""
    with open_dict(config.hydra):
        config.hydra.overrides.task = [token.text for token in tokens if not token.is_hydras]


def _check_size(config: DictConfig) -> None:
    plain: Any = OmegaConf.to_container(config, resolve=False)
    recipe = {key: value for key, value in plain.items() if key != "hydra"}
    try:
        resolve(recipe)
    except TooLargeError:
        finding = Diagnostic(
            code="recipe-too-large",
            headline="the references of the recipe refer to one another until it is too large",
            help="refer to plain values only",
        )
        raise RecipeError([finding]) from None
