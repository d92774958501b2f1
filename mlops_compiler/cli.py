"""The command line: finds the command, hands the rest to Hydra, turns every error into words and an exit code."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import traceback
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mlops_compiler.commands.base import DONE, ENGINE, INTERRUPTED, Invocation, unknown_command
from mlops_compiler.diagnostics import Diagnostic, MlopsError, Span, UsageError, render_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.reader import StoreReader

COMMANDS: dict[str, str] = {
    "check": "validate and analyse a recipe; reads no rows, starts nothing",
    "plan": "say for each stage whether it would be reused, rebuilt or new, and why",
    "run": "take a recipe to a numbered release (the default)",
    "predict": "score a file with a release: input=FILE output=FILE [release=N]",
    "deploy": "serve a release on Ray Serve: [release=N]",
    "undeploy": "end the service of a recipe",
    "status": "say what is served, and how it is",
    "logs": "print the log of a service: [lines=N]",
    "runs": "list recorded runs: [limit=N]",
    "show": "show one recorded run: [run=ID]",
}
_OWN: dict[str, tuple[str, ...]] = {
    "check": ("verbose",),
    "predict": ("input", "output", "release"),
    "deploy": ("release",),
    "logs": ("lines",),
    "runs": ("limit",),
    "show": ("run",),
}
"""The words ``name=value`` that are a command's, not the recipe's."""
_SWITCHES = frozenset({"--json", "--multirun", "-m"})
"""Flags without a value: what follows one may be the command."""
_HISTORY = ("runs", "show", "status")
"""Commands that need no recipe."""

_COLLECT_AFTER = 100_000
"""Objects made between two collections of garbage: imports make many, and little of it is garbage."""

USAGE = """mlops-compile [COMMAND] recipe=NAME [overrides] [--json] [--recipe-dir DIR]

Commands:
{commands}

Any key of the recipe can be overridden: search.trials=80 prepare.scale.op=standardize '~prepare.scale'
Exit codes: 0 done, 1 the recipe, data or acceptance criteria failed, 2 usage, 3 the engine failed, 130 interrupted.
"""


def entry() -> NoReturn:
    """Run the program as a process of its own, which starts and ends as fast as it can."""
    gc.set_threshold(_COLLECT_AFTER)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some takes longer than validating
    code = main()
    if "ray" not in sys.modules:  # nothing was started: taking the interpreter down piece by piece only takes time
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(_read(words))
    except MlopsError as error:
        return _tell(error, as_json="--json" in words)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # noqa: BLE001 - the last border: told as a defect of ours
        return _tell(_defect(error), as_json="--json" in words)


def _read(words: list[str]) -> Invocation:
    """Read a command line.

    Raises:
        UsageError: It names no command that there is, or a flag without its value.
    """
    command, rest = _command(words)
    if command not in COMMANDS:
        raise unknown_command(command, tuple(COMMANDS))
    own = _OWN.get(command, ())
    overrides: list[str] = []
    arguments: dict[str, str] = {}
    bare: list[str] = []
    folders: list[Path] = []
    pending = iter(rest)
    for word in pending:
        name, _, value = word.partition("=")
        if word == "--recipe-dir" or name == "--recipe-dir":
            folders.append(_folder(value or next(pending, "")))
        elif name in own:
            arguments[name] = value
        elif command == "show" and _is_bare(word):
            bare.append(word)
        elif word != "--json":
            overrides.append(word)
    return Invocation(
        command=command,
        overrides=tuple(overrides),
        arguments=arguments,
        words=tuple(bare),
        recipe_dirs=tuple(folders),
        as_json="--json" in rest,
    )


def _command(words: list[str]) -> tuple[str, list[str]]:
    """Find the command, which stands first, or after flags that take no value; give it and the other words."""
    ahead = len(list(takewhile(_SWITCHES.__contains__, words)))
    if ahead < len(words) and _is_bare(words[ahead]):
        return words[ahead], [*words[:ahead], *words[ahead + 1 :]]
    return "run", words


def _is_bare(word: str) -> bool:
    return not word.startswith(("-", "+", "~")) and "=" not in word


def _folder(text: str) -> Path:
    path = Path(text)
    if not text or not path.is_dir():
        raise UsageError(
            [
                Diagnostic(
                    code="bad-argument",
                    headline=f"--recipe-dir needs a folder that exists, not {text!r}",
                    span=Span.of_token("--recipe-dir"),
                )
            ]
        )
    return path


def _run(invocation: Invocation) -> int:
    if "--version" in invocation.overrides:
        from importlib.metadata import version

        sys.stdout.write(f"mlops-compile {version('mlops-compile')}\n")
        return DONE
    if invocation.command in _HISTORY and not invocation.names_recipe and not invocation.overrides:
        return _history(invocation, None)
    from mlops_compiler.frontend.hydra_app import launch

    usage = USAGE.format(commands="\n".join(f"  {name:<9} {text}" for name, text in COMMANDS.items()))
    with _sweep() if invocation.sweeps else contextlib.nullcontext():
        codes = launch(invocation.overrides, _task(invocation), recipe_dirs=invocation.recipe_dirs, usage=usage)
    return max(codes, default=DONE)


def _sweep() -> contextlib.AbstractContextManager[None]:
    """Let the jobs of a sweep share one engine."""
    from mlops_compiler.runtime.engine import engine_kept

    return engine_kept()


_FUNCTIONS: dict[str, tuple[str, str]] = {
    "check": ("check", "check"),
    "plan": ("plan", "plan"),
    "run": ("run", "run"),
    "predict": ("predict", "predict"),
    "deploy": ("service", "deploy"),
    "undeploy": ("service", "undeploy"),
    "logs": ("service", "logs"),
}
"""Command to the module of `mlops_compiler.commands` and the function that is it."""


def _task(invocation: Invocation) -> Callable[[Composed], int]:
    """Find the function of a command; its module is imported when it is asked for, and no other."""
    if invocation.command in _HISTORY:
        return lambda composed: _history(invocation, composed)
    module, name = _FUNCTIONS[invocation.command]
    command: Callable[[Composed, Invocation], int] = getattr(import_module(f"mlops_compiler.commands.{module}"), name)
    return lambda composed: command(composed, invocation)


def _history(invocation: Invocation, composed: Composed | None) -> int:
    """Run a command that reads the store only; without a recipe, the usual store and all recipes."""
    from mlops_compiler.commands.history import runs, show
    from mlops_compiler.commands.service import status
    from mlops_compiler.driver import store_location
    from mlops_compiler.frontend.validate import validate
    from mlops_compiler.recipe.recipe import Store
    from mlops_compiler.store.reader import open_reader

    recipe = validate(composed) if composed is not None else None
    store = open_reader(store_location(recipe.store if recipe else Store()))
    commands: dict[str, Callable[[StoreReader, str | None, Invocation], int]]
    commands = {"runs": runs, "show": show, "status": status}
    return commands[invocation.command](store, recipe.name if recipe else None, invocation)


def _tell(error: MlopsError, *, as_json: bool) -> int:
    if as_json:
        from mlops_compiler.commands.base import print_json

        print_json({"errors": render_json(error.diagnostics)})
    else:
        from mlops_compiler.console.diagnostics_view import print_diagnostics
        from mlops_compiler.console.streams import messages

        print_diagnostics(error.diagnostics, messages())
    if _wants_traceback():
        traceback.print_exception(error)
    return error.exit_code


def _wants_traceback() -> bool:
    return os.environ.get("MLOPS_TRACEBACK") == "1"


class _DefectError(MlopsError):
    """An error that no code of ours foresaw."""

    exit_code = ENGINE


def _defect(error: Exception) -> _DefectError:
    if _wants_traceback():
        traceback.print_exception(error)
    text = str(error).strip().split("\n", 1)[0]
    return _DefectError(
        [
            Diagnostic(
                code="internal-error",
                headline=f"mlops-compile itself failed: {type(error).__name__}" + (f": {text}" if text else ""),
                help="set MLOPS_TRACEBACK=1 to see where, and please report it",
            )
        ]
    )


if __name__ == "__main__":
    entry()
