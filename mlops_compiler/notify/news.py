"""News: what became of a command, as the people read it who are told of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from mlops_compiler.diagnostics import mask

KINDS = ("failure", "recovery", "success", "intake", "release", "drift", "alert", "rollback", "missed")
"""What a notice may ask for and some command tells."""
FAILING = frozenset({"failure", "alert"})
"""What goes on until it is over: told once, and its end is a recovery."""
_NUMBER = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What became of a command.

    Attributes:
        kinds: What it is, of `KINDS`; whoever asked for one of them is told, once.
        about: The command, ``run``, ``intake`` or ``monitor``: failures and recoveries of each are kept apart.
        recipe: The recipe's name.
        headline: What happened, in one sentence.
        reason: Why, in the words of the finding; values of rows are no part of it, since it leaves the house.
        code: The code of the finding, of a failure.
        owner: Who answers for the model.
        run: The run or intake that it is about.
        next: What to type next.
        same: What makes it the same failure as another one; its code and reason, where not given.
        environment: Whose service it is about; failures and recoveries of each are kept apart. Empty for none.
    """

    kinds: frozenset[str]
    about: str
    recipe: str
    headline: str
    reason: str = ""
    code: str = ""
    owner: str = ""
    run: str = ""
    next: str = ""
    same: str = ""
    environment: str = ""

    @property
    def key(self) -> str:
        """Names a failure: another number of rows is the same failure, another sentence is another one."""
        text = self.same or f"{self.code} {_NUMBER.sub('#', self.reason or self.headline)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def fails(self) -> bool:
        """Whether it goes on until something succeeds."""
        return bool(self.kinds & FAILING)

    @property
    def title(self) -> str:
        """One line."""
        where = f" in {self.environment}" if self.environment else ""
        return mask(f"{self.recipe}{where}: {self.headline}")

    @property
    def text(self) -> str:
        """The message, a fact a line."""
        code = f" [{self.code}]" if self.code else ""
        facts = {
            "reason": f"{self.reason}{code}" if self.reason else "",
            "recipe": self.recipe,
            "environment": self.environment,
            self.about: self.run,
            "owner": self.owner,
            "next": self.next,
        }
        return mask("\n".join([self.headline, *(f"{name}: {value}" for name, value in facts.items() if value)]))
