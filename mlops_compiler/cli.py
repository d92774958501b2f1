"""The command line: finds the command, hands the rest to Hydra, turns every error into words and an exit code."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from mlops_compiler.commands.base import DONE, ENGINE, INTERRUPTED, REJECTED, Invocation
from mlops_compiler.commands.planned import as_planned
from mlops_compiler.commands.table import COMMANDS
from mlops_compiler.commands.telling import tell
from mlops_compiler.commands.usage import usage, usage_of
from mlops_compiler.commands.words import helped, no_recipe_wanted, read, style_of
from mlops_compiler.diagnostics import Diagnostic, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_compiler.commands.table import Command
    from mlops_compiler.frontend.composed import Composed

_COLLECT_AFTER = 100_000
"""Objects made between two collections of garbage: imports make many, and little of it is garbage."""


def entry() -> NoReturn:
    """Run the program as a process of its own, which starts and ends as fast as it can."""
    gc.set_threshold(_COLLECT_AFTER)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some takes longer than validating
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads leave the cores to whoever else has work
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
        if (name := helped(words)) is not None:
            sys.stdout.write(usage_of(name))
            return DONE
        return _run(read(words))
    except MlopsError as error:
        code = _tell(error, style_of(words))
        return REJECTED if "--detailed-exitcode" in words else code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # noqa: BLE001 - the last border: told as a defect of ours
        return _tell(_defect(error), style_of(words))


def _run(invocation: Invocation) -> int:
    if "--version" in invocation.overrides:
        from importlib.metadata import version

        sys.stdout.write(f"mlops-compile {version('mlops-compile')}\n")
        return DONE
    invocation = as_planned(invocation)
    command = COMMANDS[invocation.command]
    if command.needs == "nothing" and not invocation.overrides:
        return command.load()(invocation)
    if command.needs == "store" and not invocation.names_recipe and not invocation.overrides:
        return _on_store(command, invocation, None)
    from mlops_compiler.frontend.hydra_app import launch

    with _sweep() if invocation.sweeps else contextlib.nullcontext():
        codes = launch(
            invocation.overrides, _task(command, invocation), recipe_dirs=invocation.recipe_dirs, usage=usage()
        )
    return max(codes, default=DONE)


def _sweep() -> contextlib.AbstractContextManager[None]:
    """Let the jobs of a sweep share one engine."""
    from mlops_compiler.runtime.engine import engine_kept

    return engine_kept()


def _task(command: Command, invocation: Invocation) -> Callable[[Composed], int]:
    match command.needs:
        case "store":
            return lambda composed: _on_store(command, invocation, composed)
        case "nothing":
            raise no_recipe_wanted(invocation)
        case "recipe":
            function = command.load()
            return lambda composed: function(composed, invocation)


def _on_store(command: Command, invocation: Invocation, composed: Composed | None) -> int:
    """Run a command that reads the store only; without a recipe, the usual store and all recipes."""
    from mlops_compiler.driver import store_location
    from mlops_compiler.frontend.validate import validate
    from mlops_compiler.recipe.recipe import Store
    from mlops_compiler.store.reader import open_reader

    recipe = validate(composed) if composed is not None else None
    store = open_reader(store_location(recipe.store if recipe else Store()))
    return command.load()(store, recipe.name if recipe else None, invocation)


def _tell(error: MlopsError, style: str) -> int:
    tell(error.diagnostics, style)
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
