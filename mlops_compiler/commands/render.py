"""`render` prints a recipe as it was composed, and on request who set each value of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import DONE
from mlops_compiler.frontend.render import origin_data
from mlops_compiler.frontend.render import render as rendered

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed


def render(composed: Composed, invocation: Invocation) -> int:
    """Print the composed recipe as YAML; with ``--origins``, each value beside its place. It is not validated."""
    if invocation.as_json:
        values = origin_data(composed) if "--origins" in invocation.flags else composed.config
        invocation.print_json({"recipe": composed.recipe_name, "values": values})
        return DONE
    if invocation.sweeps:
        sys.stdout.write(f"--- # job {composed.job_num}: {' '.join(composed.overrides)}\n")
    sys.stdout.write(rendered(composed, origins="--origins" in invocation.flags))
    return DONE
