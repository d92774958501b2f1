"""Runs Hydra for real, so that all of its command line works; each job reaches a task as a composed recipe.

Hydra writes no folder, changes no directory, configures no logging, and reports no error of its own.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict, read_write

from mlops_compiler.diagnostics import Diagnostic, MlopsError, Sink, UsageError, did_you_mean
from mlops_compiler.frontend.choices import Choices
from mlops_compiler.frontend.flags import parse_flags
from mlops_compiler.frontend.folders import GroupFolder, RecipeFolder, group_folders, recipe_folders
from mlops_compiler.frontend.help_text import help_text
from mlops_compiler.frontend.hydra_errors import translated
from mlops_compiler.frontend.job import compose_job
from mlops_compiler.frontend.loader import PRIMARY, RecipeLoader
from mlops_compiler.frontend.overrides import parse

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from hydra.core.utils import JobReturn
    from omegaconf import DictConfig

    from mlops_compiler.frontend.composed import Composed

T = TypeVar("T")

# What Hydra composes with every recipe: where it would write, it writes nothing.
_PRIMARY = {
    "defaults": [
        {"recipe": "???"},
        "_self_",
        {"override hydra/hydra_logging": "none"},
        {"override hydra/job_logging": "none"},
    ],
    "hydra": {
        "run": {"dir": "."},
        "sweep": {"dir": ".mlops/multirun", "subdir": "."},
        "output_subdir": None,
        "job": {"name": PRIMARY, "chdir": False},
    },
}
_MULTIRUN = "hydra.mode=MULTIRUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome(Generic[T]):
    """What a job came to; Hydra would print the errors that it sees."""

    value: T | None = None
    error: Exception | None = None


@dataclass(frozen=True, kw_only=True)
class _Job(Generic[T]):
    """The function that Hydra calls for each job."""

    task: Callable[[Composed], T]
    loader: RecipeLoader

    def __call__(self, config: DictConfig) -> _Outcome[T]:
        try:
            return _Outcome(value=self.task(compose_job(config, HydraConfig.get(), self.loader)))
        except Exception as error:  # noqa: BLE001 - raised again when Hydra has let go
            return _Outcome(error=error)


def launch(
    argv: Sequence[str],
    task: Callable[[Composed], T],
    *,
    recipe_dirs: Sequence[Path] = (),
    usage: str = "",
) -> tuple[T, ...]:
    """Run a command line of overrides and Hydra's flags.

    Args:
        argv: The command line, without the program and its commands.
        task: Called with the composed recipe, once for each job.
        recipe_dirs: Further folders of recipes, searched before the usual ones.
        usage: What ``--help`` says before it lists recipes, groups and flags.

    Returns:
        What the task returned for each job; nothing where a flag only asked for something to be shown.

    Raises:
        UsageError: The command line is wrong.
        RecipeError: A recipe is wrong.
        Exception: What the task raised, after the other jobs of a sweep were run.
    """
    arguments = parse_flags(argv)
    choices = Choices(recipe_folders=recipe_folders(recipe_dirs), group_folders=group_folders(recipe_dirs))
    if arguments.help:
        sys.stdout.write(help_text(choices, usage))
        return ()
    with _hydra(choices, completing=arguments.shell_completion) as hydra:
        return _dispatch(hydra, arguments, task)


def _dispatch(hydra: Hydra, arguments: argparse.Namespace, task: Callable[[Composed], T]) -> tuple[T, ...]:
    overrides = list(arguments.overrides)
    if arguments.multirun or _MULTIRUN in overrides:
        return _multirun(hydra, overrides, task)
    if arguments.shell_completion:
        _complete(hydra, overrides)
    elif arguments.hydra_help or arguments.cfg or arguments.info:
        with translated(parse(overrides)):
            _show(hydra, arguments, overrides)
    else:
        return _run(hydra, overrides, task)
    return ()


def _show(hydra: Hydra, arguments: argparse.Namespace, overrides: list[str]) -> None:
    if arguments.hydra_help:
        arguments.overrides = [token.text for token in parse(overrides) if token.is_hydras]
        hydra.hydra_help(config_name=None, args_parser=get_args_parser(), args=arguments)
    elif arguments.info:
        with _root_logger_kept():
            hydra.show_info(arguments.info, config_name=PRIMARY, overrides=overrides)
    else:
        if arguments.package is not None:
            _check_package(hydra.compose_config(PRIMARY, overrides, RunMode.RUN), arguments.package)
        hydra.show_cfg(PRIMARY, overrides, arguments.cfg, arguments.package, resolve=arguments.resolve)


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Undo what Hydra does to the root logger, by which it prints."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def _check_package(config: DictConfig, package: str) -> None:
    if package != "_global_" and OmegaConf.select(config, package) is None:
        finding = Diagnostic(
            code="unknown-key",
            headline=f"--package `{package}` names no key of the recipe",
            help=did_you_mean(package, (str(key) for key in config if key != "hydra")),
        )
        raise UsageError([finding])


def _loader_of(hydra: Hydra) -> RecipeLoader:
    assert isinstance(hydra.config_loader, RecipeLoader)  # noqa: S101 - `_hydra` made it
    return hydra.config_loader


def _run(hydra: Hydra, overrides: list[str], task: Callable[[Composed], T]) -> tuple[T, ...]:
    """Compose one job and run it here: `Hydra.run` would copy all of it several times, for output that is not ours."""
    config = hydra.compose_config(PRIMARY, [*overrides, "hydra.mode=RUN"], RunMode.RUN)
    HydraConfig.instance().set_config(config)
    with read_write(config), open_dict(config):
        settings = config.pop("hydra")
    return (task(compose_job(config, settings, _loader_of(hydra))),)


def _multirun(hydra: Hydra, overrides: list[str], task: Callable[[Composed], T]) -> tuple[T, ...]:
    job = _Job(task=task, loader=_loader_of(hydra))
    kept = [text for text in overrides if text != _MULTIRUN]
    try:
        batches = hydra.multirun(PRIMARY, job, [*kept, _MULTIRUN])
    except HydraException as error:
        raise UsageError([Diagnostic(code="bad-sweep", headline=str(error).splitlines()[0])]) from error
    return _values([_outcome(done) for batch in batches for done in batch])


def _outcome(done: JobReturn) -> _Outcome[T]:
    """What a job came to; one that a launcher could not compose or run holds its error in place of a value."""
    value = done._return_value  # noqa: SLF001 - the property raises what it holds
    return value if isinstance(value, _Outcome) else _Outcome(error=value)


def _values(outcomes: Sequence[_Outcome[T]]) -> tuple[T, ...]:
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    ours = [error for error in errors if isinstance(error, MlopsError)]
    for error in errors:
        if not isinstance(error, MlopsError) or len(errors) == 1:
            raise error
    if ours:
        sink = Sink()
        for error in ours:
            for finding in error.diagnostics:
                sink.add(finding)
        raise type(max(ours, key=lambda error: error.exit_code))((*sink.errors, *sink.warnings))
    return tuple(outcome.value for outcome in outcomes)  # type: ignore[misc]


def _complete(hydra: Hydra, words: list[str]) -> None:
    """Answer a shell; a line that does not compose yet has no completions, and no error either."""
    try:
        hydra.shell_completion(config_name=PRIMARY, overrides=words)
    except MlopsError:
        return
    except ValueError as error:
        finding = Diagnostic(code="bad-flag", headline=str(error), help="write --shell-completion install=bash")
        raise UsageError([finding]) from None


@contextmanager
def _hydra(choices: Choices, *, completing: bool) -> Iterator[Hydra]:
    """Set Hydra up and take it down; errors reach us as they are."""
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    version.setbase("1.3")
    for source in (RecipeFolder, GroupFolder):
        Plugins.instance().register(source)
    ConfigStore.instance().store(name=PRIMARY, node=_PRIMARY, provider=PRIMARY)
    GlobalHydra.instance().clear()
    try:
        hydra = Hydra(task_name=PRIMARY, config_loader=_loader(choices, completing=completing))
        GlobalHydra.instance().initialize(hydra)
        yield hydra
    finally:
        GlobalHydra.instance().clear()
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


def _loader(choices: Choices, *, completing: bool) -> RecipeLoader:
    path = create_config_search_path(None)
    entries = [
        *((provider, f"recipes://{folder}") for provider, folder in choices.recipe_folders.items()),
        *((provider, f"groups://{folder}") for provider, folder in choices.group_folders.items()),
    ]
    for provider, entry in entries:
        path.prepend(provider=provider, path=entry, anchor="schema")
    return RecipeLoader(path, choices, completing=completing)
