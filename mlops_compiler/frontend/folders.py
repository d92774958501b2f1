"""Where recipes and groups are found: folders asked in order, each a config source of Hydra's.

They replace Hydra's file source, so that no YAML file reaches a recipe without having been checked.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import OmegaConf

import mlops_compiler
from mlops_compiler.frontend.recipe_text import Document, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RECIPE = "recipe"
SUFFIXES = (".yaml", ".yml")


class CheckedFolder(ConfigSource):
    """A folder whose YAML files are checked before they are composed.

    A config path is ``group/option``; `file` says which file that is.
    """

    @abstractmethod
    def file(self, config_path: str) -> Path | None:
        """Find the file of a config path."""

    def document(self, config_path: str) -> Document:
        """Read the file of a config path.

        Raises:
            RecipeError: Everything that is wrong with its text.
            ConfigLoadError: There is none.
        """
        if (file := self.file(config_path)) is None:
            raise ConfigLoadError(f"Config not found : {config_path}")
        return read_document(file)

    def load_config(self, config_path: str) -> ConfigResult:
        """Give Hydra a fresh configuration; what lies in the group `recipe` fills the whole recipe."""
        data = dict(self.document(config_path).data)
        package = "_global_" if config_path.startswith(f"{RECIPE}/") else None
        return ConfigResult(
            config=OmegaConf.create(data),
            path=self.full_path(),
            provider=self.provider,
            header={"package": package},
        )

    def available(self) -> bool:
        """Say whether the folder is there; one that is not is as good as empty."""
        return True

    def is_config(self, config_path: str) -> bool:
        """Say whether a config path names a file."""
        return self.file(config_path) is not None


class RecipeFolder(CheckedFolder):
    """Serves the group `recipe` from a folder; an absolute path is a file anywhere."""

    @staticmethod
    def scheme() -> str:
        """Name the scheme of the search path's entries."""
        return "recipes"

    def file(self, config_path: str) -> Path | None:
        """Find a recipe by its name."""
        group, _, name = config_path.partition("/")
        return _existing(Path(self.path) / name) if group == RECIPE and name else None

    def is_group(self, config_path: str) -> bool:
        """Say whether a config path is the group of recipes."""
        return config_path.strip("/") in {"", RECIPE}

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """List the recipes, or the group that they make."""
        if config_path.strip("/") == RECIPE:
            return _names(Path(self.path)) if results_filter in {None, ObjectType.CONFIG} else []
        return [RECIPE] if results_filter in {None, ObjectType.GROUP} else []


class GroupFolder(CheckedFolder):
    """Serves each subfolder as a group of options."""

    @staticmethod
    def scheme() -> str:
        """Name the scheme of the search path's entries."""
        return "groups"

    def file(self, config_path: str) -> Path | None:
        """Find an option of a group."""
        group, _, name = config_path.partition("/")
        return _existing(Path(self.path) / config_path) if name and self.is_group(group) else None

    def is_group(self, config_path: str) -> bool:
        """Say whether a config path is a subfolder; Hydra's own groups are never served."""
        group = config_path.strip("/")
        if group.split("/")[0] in {"hydra", RECIPE}:
            return False
        return (Path(self.path) / group).is_dir()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """List the options or the groups in a group."""
        group = config_path.strip("/")
        found: list[str] = []
        if group and self.is_group(group) and results_filter in {None, ObjectType.CONFIG}:
            found += _names(Path(self.path) / group)
        if not group and results_filter in {None, ObjectType.GROUP}:
            found += groups([Path(self.path)])
        return found


def recipe_folders(named: Sequence[Path]) -> dict[str, Path]:
    """Say where recipes are looked for: whose folder it is, and the folder, in order."""
    given = {f"--recipe-dir {folder}": folder.absolute() for folder in named}
    return _each_once({**given, "working directory": Path.cwd() / "recipes", "shipped": shipped("recipes")})


def group_folders(named: Sequence[Path]) -> dict[str, Path]:
    """Say where groups are looked for: whose folder it is, and the folder, in order."""
    given = {f"--recipe-dir {folder}": folder.absolute() / "conf" for folder in named}
    return _each_once({**given, "working directory": Path.cwd() / "conf", "shipped": shipped("conf")})


def find_recipe(choice: str, folders: Iterable[Path]) -> Path | None:
    """Find a recipe by what the user calls it: a name, or the path of a file."""
    is_path = choice.endswith(SUFFIXES) or "/" in choice
    if is_path and (file := _existing(Path.cwd() / choice)) is not None:
        return file
    return find_named(choice, folders)


def find_named(name: str, folders: Iterable[Path]) -> Path | None:
    """Find a recipe by its name alone."""
    return next(filter(None, (_existing(folder / name) for folder in folders)), None)


def recipe_names(folders: Iterable[Path]) -> list[str]:
    """List the names of all recipes."""
    return sorted({name for folder in folders for name in _names(folder)})


def groups(folders: Iterable[Path]) -> list[str]:
    """List the groups that have an option."""
    inside = [item for folder in folders if folder.is_dir() for item in folder.iterdir()]
    return sorted({item.name for item in inside if item.name not in {"hydra", RECIPE} and _names(item)})


def options(group: str, folders: Iterable[Path]) -> list[str]:
    """List the options of a group."""
    return sorted({name for folder in folders for name in _names(folder / group)})


def find_option(group: str, option: str, folders: Iterable[Path]) -> Path | None:
    """Find the file of an option of a group."""
    return next(filter(None, (_existing(folder / group / option) for folder in folders)), None)


def _existing(file: Path) -> Path | None:
    candidates = [file] if file.name.endswith(SUFFIXES) else [file.with_name(file.name + end) for end in SUFFIXES]
    try:
        return next((item.resolve() for item in candidates if item.exists() and not item.is_dir()), None)
    except (OSError, ValueError):  # a name that no file can have
        return None


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted({file.stem for file in folder.iterdir() if file.suffix in SUFFIXES and file.is_file()})


def _each_once(folders: dict[str, Path]) -> dict[str, Path]:
    first = {folder: provider for provider, folder in reversed(folders.items())}
    return {provider: folder for provider, folder in folders.items() if first[folder] == provider}


def shipped(name: str) -> Path:
    """Find a folder that comes with the package: inside it when installed, beside it in a checkout."""
    package = Path(mlops_compiler.__file__).parent
    installed = package / "shipped" / name
    return installed if installed.is_dir() else package.parent / name
