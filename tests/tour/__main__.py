"""`make tour`: the life of a release after its training, typed and shown command by command."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.tour.place import Inbox, Place
from tests.tour.recipe import SECRET
from tests.tour.scenario import walk


def say(line: str) -> None:
    """Show a line at once, whoever reads it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Go through the scenario in a folder that is removed afterwards."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tour-") as root, Inbox() as inbox:
        os.environ[SECRET] = inbox.url
        walk(Place(root=Path(root), out=say), inbox)
    say(f"\nThat was the tour, in {time.monotonic() - began:.0f} s. Nothing of it is left.")


if __name__ == "__main__":
    main()
