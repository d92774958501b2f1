"""`schema` writes the JSON Schema of recipes, by which editors complete and check them as they are typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.engine import ALLOWABLE
from mlops_compiler.commands.base import DONE, write_file
from mlops_compiler.frontend.json_schema import recipe_schema

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation


def schema(invocation: Invocation) -> int:
    """Print the schema; with ``--out FILE``, write it there."""
    text = json.dumps(recipe_schema(ALLOWABLE), indent=1, ensure_ascii=False) + "\n"
    if (out := invocation.options.get("--out")) is not None:
        write_file(Path(out), text)
    else:
        sys.stdout.write(text)
    return DONE
