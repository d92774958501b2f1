"""The systems that are compared: each a script of its own, and the environment that it runs in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ADAPTERS = Path(__file__).parent / "adapters"
PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system.

    Attributes:
        name: What it is called in tables and on the command line.
        script: Its adapter in `ADAPTERS`, which reads the job's file.
        arguments: What the adapter is given beside it.
        peer: The file ``peers/NAME.txt`` of its environment; None for this project's own.
        imports: What must be importable there for it to count as installed.
        beside: The peer whose time it may take, at most, where that is asked for.
    """

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    peer: str | None = None
    imports: str = "sys"
    beside: str | None = None

    @property
    def pins(self) -> Path | None:
        """What is installed in its environment."""
        return None if self.peer is None else PEERS / f"{self.peer}.txt"


OURS = ("quick", "thorough")
SYSTEMS = {
    item.name: item
    for item in (
        System(name="lightgbm", script="lightgbm_default.py"),
        System(name="flaml", script="flaml_automl.py", peer="flaml", imports="flaml"),
        System(name="quick", script="mlops_compile.py", arguments=("quick",), beside="flaml"),
        System(name="autogluon", script="autogluon_medium.py", peer="autogluon", imports="autogluon.tabular"),
        System(name="thorough", script="mlops_compile.py", arguments=("thorough",), beside="autogluon"),
        System(name="random_search", script="random_search.py"),
        System(name="ray_tune", script="ray_tune.py"),
        System(name="ludwig", script="ludwig_train.py", peer="ludwig", imports="ludwig"),
    )
}
"""In the order in which they run on one split, this project after the peer that it is measured by."""
