"""Run the whole suite in two halves, side by side: the tests that need Ray, and the others.

The others' output is shown as it comes, that of the tests on Ray after it. What follows on the command line goes to
both. Ends with the worse exit code of the two.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

PYTEST = [sys.executable, "-m", "pytest"]
NO_TESTS = 5
"""What pytest ends with where no test was chosen; right for one half, and wrong for both."""


def main(words: list[str]) -> int:
    """Run both halves and give the exit code."""
    with tempfile.TemporaryFile("w+") as kept:
        engine = subprocess.Popen([*PYTEST, "-m", "engine", *words], stdout=kept, stderr=subprocess.STDOUT)  # noqa: S603 - our own words
        halves = (subprocess.Popen([*PYTEST, "-m", "not engine", *words]), engine)  # noqa: S603 - our own words
        try:
            codes = [half.wait() for half in halves]
        except KeyboardInterrupt:  # both were told as well: each says what it has found so far, and ends
            codes = [half.wait() for half in halves]
        kept.seek(0)
        sys.stdout.write(f"\nThe tests that need Ray:\n{kept.read()}")
    ran = [code for code in codes if code != NO_TESTS]
    return max((abs(code) for code in ran), default=NO_TESTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
