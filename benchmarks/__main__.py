"""Runs every benchmark in turn: ``python -m benchmarks [startup|passes|prepare|search]``."""

from __future__ import annotations

import sys

from benchmarks import passes, prepare, search, startup

BENCHMARKS = {"startup": startup.main, "passes": passes.main, "prepare": prepare.main, "search": search.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
