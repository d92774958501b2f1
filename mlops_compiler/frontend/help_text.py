"""What ``--help`` says: recipes and groups that are here, how to override, Hydra's flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.frontend import folders

if TYPE_CHECKING:
    from mlops_compiler.frontend.choices import Choices

_OVERRIDES = """\
Overrides:
  recipe=NAME                 the recipe NAME of a recipes/ folder, or the path of a file
  GROUP=OPTION                take an option of a group, as in search=thorough
  KEY=VALUE                   set a key, as in search.trials=80
  ~KEY                        remove a key, as in ~prepare.scale
  KEY=A,B --multirun          run a job for each value
"""

_FLAGS = """\
Flags:
  -m, --multirun              run a job for each combination of the values given
  -c, --cfg job               print the composed recipe; with --resolve, its references resolved,
                              with --package KEY, only that part
  -i, --info [defaults|...]   print how the recipe was composed
  --recipe-dir DIR            look for recipes in DIR first, and for groups in DIR/conf
  --shell-completion install=bash
                              print what makes the shell complete recipes and keys; eval it
  --hydra-help                print Hydra's own settings
"""


def help_text(choices: Choices, usage: str) -> str:
    """Compose the help."""
    recipes = folders.recipe_names(choices.recipe_folders.values())
    groups = [
        f"  {group:<28}{', '.join(folders.options(group, choices.group_folders.values()))}"
        for group in sorted(choices.groups)
    ]
    listed = [f"Recipes:\n  {', '.join(recipes) or 'none here'}\n", "\n".join(["Groups:", *groups, ""])]
    return "\n".join([*([usage.rstrip() + "\n"] if usage else []), *listed, _OVERRIDES, _FLAGS])
