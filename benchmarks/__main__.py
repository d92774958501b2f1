"""Runs every benchmark in turn, or those that are named: ``python -m benchmarks [NAME...]``."""

from __future__ import annotations

import sys

from benchmarks import engines, feedback, gpu, passes, prepare, request, rollout, search, startup

BENCHMARKS = {
    "startup": startup.main,
    "engines": engines.main,
    "passes": passes.main,
    "prepare": prepare.main,
    "request": request.main,
    "search": search.main,
    "gpu": gpu.main,
    "rollout": rollout.main,
    "feedback": feedback.main,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
