"""What ``--help`` says of the commands: of all of them, or of one."""

from __future__ import annotations

from mlops_compiler.commands.table import COMMANDS

_ALL = """mlops-compile [COMMAND] recipe=NAME [overrides] [--json] [--format FORMAT] [--recipe-dir DIR]

Commands:
{commands}

mlops-compile COMMAND --help tells of one. Any key of the recipe can be overridden: search.trials=80 '~prepare.scale'
Exit codes: 0 done, 1 the recipe, data or acceptance criteria failed, 2 usage, 3 the engine failed, 130 interrupted.
"""
_NEEDS = {
    "recipe": "recipe=NAME, and overrides of its keys: search.trials=80 '~prepare.scale'",
    "store": "recipe=NAME for one recipe, and its store; all recipes of the usual store, where not given",
    "nothing": "",
}


def usage() -> str:
    """Tell of all commands."""
    return _ALL.format(commands="\n".join(f"  {name:<9} {item.about}" for name, item in COMMANDS.items()))


def usage_of(name: str) -> str:
    """Tell of one command: what it does, and its own words and flags."""
    command = COMMANDS[name]
    told = {
        "recipe": _NEEDS[command.needs],
        "words": " ".join(f"{word}=..." for word in command.arguments),
        "flags": " ".join([*command.flags, *(f"{option} VALUE" for option in command.options)]),
        "output": f"--json, or --format {'|'.join(command.formats)}",
    }
    lines = [f"  {what:<8}{text}" for what, text in told.items() if text]
    about = f"mlops-compile {name}: {command.about}"
    return "\n".join([about, "", *lines, "", "mlops-compile --help lists recipes, groups and flags.", ""])
