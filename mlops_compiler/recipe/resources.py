"""`resources:` of a model, and `cluster:`: what a trial takes and where it is taken from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.section import Section


class Resources(Section):
    """What one trial of a model takes."""

    cpu: Annotated[int, Field(ge=1, le=1024)] = 1
    """Cores, and the threads that the estimator uses."""
    gpu: Literal["auto"] | Annotated[float, Field(ge=0, le=64)] = 0
    """GPUs; a fraction shares one; ``auto`` takes (a part of) a GPU where the cluster has one, else none."""
    memory: Annotated[float, Field(gt=0)] | None = None
    """GiB of memory to reserve."""


class Cluster(Section):
    """Where the engine runs."""

    address: Annotated[str, Field(pattern=r"^(embedded|auto|ray://.+|[^/:]+:\d+)$")] = "embedded"
    """``embedded`` starts Ray for the run; ``auto``, ``ray://host:port`` or ``host:port`` join a cluster."""
    cpus: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Cores of the embedded engine; all of the machine's, where not given."""
    gpus: Annotated[int, Field(ge=0, le=64)] | None = None
    """GPUs of the embedded engine; those it finds, where not given."""
    jobs: Annotated[str, Field(pattern=r"^https?://.+$")] | None = None
    """Where the cluster takes jobs, ``http://host:8265``; for ``run --submit``."""
