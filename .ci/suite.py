"""Run the whole suite in three parts, side by side: those that need Ray wait more than they compute.

The parts are the tests without Ray, those on the Ray session that the suite starts, and those that start engines of
their own. The output of the first is shown as it comes, that of the others after it. What follows on the command line
goes to all. Ends with the worst exit code of the three.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack

PYTEST = [sys.executable, "-m", "pytest"]
WITHOUT = "not engine"
ON_RAY = {
    "The tests on the suite's own Ray session": "engine and shared",
    "The tests that start engines of their own": "engine and not shared",
}
NO_TESTS = 5
"""What pytest ends with where no test was chosen; right for one part, and wrong for all."""


def main(words: list[str]) -> int:
    """Run all parts and give the exit code."""
    with ExitStack() as stack:
        kept = {title: stack.enter_context(tempfile.TemporaryFile("w+")) for title in ON_RAY}
        parts = [
            subprocess.Popen([*PYTEST, "-m", marks, *words], stdout=kept[title], stderr=subprocess.STDOUT)  # noqa: S603 - our own words
            for title, marks in ON_RAY.items()
        ]
        parts.append(subprocess.Popen([*PYTEST, "-m", WITHOUT, *words]))  # noqa: S603 - our own words
        try:
            codes = [part.wait() for part in parts]
        except KeyboardInterrupt:  # all were told as well: each says what it has found so far, and ends
            codes = [part.wait() for part in parts]
        for title, output in kept.items():
            output.seek(0)
            sys.stdout.write(f"\n{title}:\n{output.read()}")
    ran = [code for code in codes if code != NO_TESTS]
    return max((abs(code) for code in ran), default=NO_TESTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
