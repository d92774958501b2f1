"""Hydra's flags, less those that would let in what is not checked; what is wrong with them is said in our words."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from hydra._internal.utils import get_args_parser

from mlops_compiler.diagnostics import Diagnostic, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The first three find configurations in other places, the last one unpickles a file.
_FORBIDDEN = {
    "config_path": "--config-path",
    "config_name": "--config-name",
    "config_dir": "--config-dir",
    "experimental_rerun": "--experimental-rerun",
}


class _Parser(argparse.ArgumentParser):
    """Hydra's flags, with our errors."""

    def error(self, message: str) -> NoReturn:
        finding = Diagnostic(code="bad-flag", headline=message, help="see --help for the flags")
        raise UsageError([finding])


def parse_flags(argv: Sequence[str]) -> argparse.Namespace:
    """Parse a command line into Hydra's flags and, in any order among them, overrides.

    Raises:
        UsageError: A flag is unknown or forbidden, or does not go with another.
    """
    parser = _Parser(parents=[get_args_parser()], add_help=False, allow_abbrev=False)
    arguments = parser.parse_intermixed_args(list(argv))
    for name, flag in _FORBIDDEN.items():
        if getattr(arguments, name) is not None:
            finding = Diagnostic(
                code="bad-flag",
                headline=f"{flag} is not for recipes: they are found in their folders",
                help="name a folder with --recipe-dir, or a file with recipe=path/to/file.yaml",
            )
            raise UsageError([finding])
    _check_combination(arguments)
    return arguments


def _check_combination(arguments: argparse.Namespace) -> None:
    asked = {
        "--run": arguments.run,
        "--multirun": arguments.multirun,
        "--cfg": arguments.cfg,
        "--info": arguments.info,
        "--shell-completion": arguments.shell_completion,
    }
    given = [flag for flag, value in asked.items() if value]
    if len(given) > 1:
        headline = f"{' and '.join(given)} exclude each other"
        raise UsageError([Diagnostic(code="bad-flag", headline=headline)])
    if (arguments.resolve or arguments.package) and not arguments.cfg:
        flag = "--resolve" if arguments.resolve else "--package"
        raise UsageError([Diagnostic(code="bad-flag", headline=f"{flag} goes with --cfg only")])
