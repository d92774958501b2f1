"""`run --submit` hands a run to a cluster as a job, follows it, and ends as it ends."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mlops_compiler.commands.base import INTERRUPTED
from mlops_compiler.console.streams import say
from mlops_compiler.diagnostics import Diagnostic, UsageError
from mlops_compiler.driver import compile_recipe
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables.table import contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.backends.ray.ship import Wanted
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.driver import Compiled
    from mlops_compiler.frontend.composed import Composed

SUBMIT, DETACH = "--submit", "--detach"
_VARIABLE = "RAY_API_SERVER_ADDRESS"
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def submit_run(composed: Composed, invocation: Invocation) -> int:
    """Hand the run in; returns what it returns, or 0 at once with ``--detach``.

    Raises:
        RecipeError: The recipe is wrong: nothing is handed in.
        UsageError: It is not said where, or the store is a folder of this machine and the cluster elsewhere.
        DataError: What the recipe reads cannot travel.
        EngineError: No job server answers.
    """
    from mlops_compiler.backends.ray.jobs import submit
    from mlops_compiler.backends.ray.ship import ship

    compiled = compile_recipe(composed)
    address = _address(compiled)
    words = _words(compiled, address)
    with tempfile.TemporaryDirectory(prefix="mlops-job-") as name:
        homes = dict.fromkeys((composed.recipe_path.parent.absolute(), composed.root.absolute()))
        ship(Path(name), homes, composed.root.absolute(), _wanted(compiled))
        job = submit(address, words, Path(name), {"MLOPS_PROGRESS": os.environ.get("MLOPS_PROGRESS", "on")})
    say(f"job {job.name} at {address}")
    if DETACH in invocation.flags:
        return 0
    try:
        return job.follow(sys.stdout.write)
    except KeyboardInterrupt:
        job.stop()
        say("\ninterrupted; finished stages and trials are kept, and the next run goes on from them")
        return INTERRUPTED


def _address(compiled: Compiled) -> str:
    asked = compiled.recipe.cluster.jobs or os.environ.get(_VARIABLE)
    if asked is None:
        finding = Diagnostic(
            code="missing-argument",
            headline="`--submit` needs to know where the cluster takes jobs",
            help=f"add cluster.jobs=http://HOST:8265, or set {_VARIABLE}",
        )
        raise UsageError([finding])
    return asked


def _words(compiled: Compiled, address: str) -> list[str]:
    """Write the command line that the job runs: the same recipe and overrides, on the cluster that it is on."""
    from mlops_compiler.backends.ray.ship import RECIPES

    kept = [word for word in compiled.composed.overrides if not word.startswith(("recipe=", "cluster.", "store.url="))]
    words = ["run", f"recipe={compiled.composed.recipe_name}", *kept, "cluster.address=auto"]
    words += [f"store.url={_store(compiled, address)}", "--recipe-dir", RECIPES]
    return ["python", "-m", "mlops_compiler.cli", *map(shlex.quote, words)]


def _store(compiled: Compiled, address: str) -> str:
    url = compiled.recipe.store.url
    if "://" in url:
        return url
    if urlsplit(address).hostname not in _LOCAL and not Path(url).is_absolute():
        finding = Diagnostic(
            code="store-not-shared",
            headline=f"the store `{url}` is a folder of this machine, and the cluster is at `{address}`",
            span=compiled.composed.provenance.value_span(("store", "url")),
            help="let `store.url` name an object store, or a folder by its whole path that all machines have",
        )
        raise UsageError([finding])
    return str(Path(url).absolute())


def _wanted(compiled: Compiled) -> Iterator[Wanted]:
    """Name the files that the recipe reads by a path relative to its folder; whole paths and addresses stay."""
    from mlops_compiler.backends.ray.ship import Wanted

    root = compiled.composed.root.absolute()
    for node, read in compiled.program.of(Read):
        if "://" not in read.path and not Path(read.path).is_absolute():
            found = (root / read.path).rglob("*") if read.kind == "delta" else contents(read, root)
            yield from (Wanted(path=path, span=node.span) for path in found if path.is_file())
