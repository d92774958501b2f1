"""Runs every benchmark in turn, or those that are named: ``python -m benchmarks [NAME...]``.

``serve`` takes options, where it is named alone.
"""

from __future__ import annotations

import sys

from benchmarks import engines, feedback, gpu, passes, prepare, request, rollout, search, startup
from benchmarks.serve import command as serve

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
    "serve": serve.main,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve.main(sys.argv[2:])
    else:
        for name in sys.argv[1:] or BENCHMARKS:
            BENCHMARKS[name]()
