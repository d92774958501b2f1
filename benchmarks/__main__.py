"""Runs every benchmark in turn: ``python -m benchmarks [startup|engines|passes|prepare|request|search|gpu]``."""

from __future__ import annotations

import sys

from benchmarks import engines, gpu, passes, prepare, request, search, startup

BENCHMARKS = {
    "startup": startup.main,
    "engines": engines.main,
    "passes": passes.main,
    "prepare": prepare.main,
    "request": request.main,
    "search": search.main,
    "gpu": gpu.main,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
