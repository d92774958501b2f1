"""A plan as a file: what was agreed on is applied exactly so later, or not at all."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, UsageError, mask
from mlops_compiler.ir.fingerprint import flatten
from mlops_compiler.plan.diff import changed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_compiler.plan.stages import Plan

FORMAT = 1
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan that was written down.

    Attributes:
        recipe: The recipe's name.
        overrides: The command line that made it, without the command.
        recipe_dirs: The further folders of recipes that it named.
        config: The composed recipe.
        stages: For each stage its name, what would happen to it, and its fingerprint.
        created: When it was made; seconds since 1970.
        format: The version of this file.
    """

    recipe: str
    overrides: tuple[str, ...]
    recipe_dirs: tuple[str, ...]
    config: dict[str, Any]
    stages: tuple[dict[str, str], ...]
    created: float
    format: int = FORMAT

    @classmethod
    def of(
        cls, plan: Plan, config: dict[str, Any], overrides: tuple[str, ...], recipe_dirs: tuple[Path, ...]
    ) -> PlanFile:
        """Write a plan down.

        Raises:
            UsageError: It would hold a password.
        """
        made = cls(
            recipe=plan.recipe,
            overrides=overrides,
            recipe_dirs=tuple(map(str, recipe_dirs)),
            config=config,
            stages=tuple(_stages(plan)),
            created=time.time(),
        )
        if mask(text := made.to_text()) != text:
            raise UsageError([_holds_password()])
        return made

    def to_text(self) -> str:
        """Write the plan as JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> PlanFile:
        """Read a plan back.

        Raises:
            DataError: The file is not there, or is no plan that this version can read.
        """
        try:
            value = json.loads(path.read_text())
            lists = {name: tuple(value[name]) for name in ("overrides", "recipe_dirs", "stages")}
            made = cls(**{**value, **lists})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError([_unreadable(path, str(error) or type(error).__name__)]) from error
        if made.format != FORMAT:
            why = f"its format is {made.format}, and this version reads {FORMAT}"
            raise DataError([_unreadable(path, why)])
        return made

    def require_same(self, plan: Plan, config: dict[str, Any]) -> None:
        """Check that a plan made now is the one that was written down.

        Raises:
            DataError: It is not; tells how it differs.
        """
        notes = [*self._recipe_changes(config), *self._stage_changes(plan)]
        if notes:
            raise DataError([_stale(notes)])

    def _recipe_changes(self, config: dict[str, Any]) -> Iterator[str]:
        for key in changed(flatten(self.config), flatten(config)):
            yield f"`{key}` of the recipe changed since"

    def _stage_changes(self, plan: Plan) -> Iterator[str]:
        then = {item["stage"]: item for item in self.stages}
        for now in _stages(plan):
            before = then.get(now["stage"], {})
            if before.get("fingerprint") != now["fingerprint"]:
                yield f"`{now['stage']}` would make something else now: {now['reason']}"
            elif before["action"] != now["action"]:
                yield f"`{now['stage']}` was {before['action']} and is {now['action']} now"


def _stages(plan: Plan) -> Iterator[dict[str, str]]:
    for action in plan.actions:
        yield {
            "stage": action.stage.name,
            "action": action.action,
            "reason": action.reason,
            "fingerprint": action.stage.fingerprint,
        }


def _holds_password() -> Diagnostic:
    return Diagnostic(
        code="secret-in-plan",
        headline="the plan would hold the password of a URL",
        help="leave the password out of the recipe and the command line: drivers read it from the environment",
    )


def _unreadable(path: Path, why: str) -> Diagnostic:
    return Diagnostic(
        code="plan-unreadable",
        headline=f"{path} is no plan that can be read",
        notes=(Note(text=why.split("\n", 1)[0]),),
        help="make one: mlops-compile plan recipe=NAME --out FILE",
    )


def _stale(notes: list[str]) -> Diagnostic:
    more = [Note(text=f"and {len(notes) - _SHOWN} more")] if len(notes) > _SHOWN else []
    return Diagnostic(
        code="plan-stale",
        headline="what would run now is not what was planned; nothing was run",
        notes=(*(Note(text=note) for note in notes[:_SHOWN]), *more),
        help="look at it anew: mlops-compile plan ... --out FILE",
    )
