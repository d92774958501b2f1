"""`resources:` of a model, and `cluster:`: what a trial takes and where it is taken from."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from mlops_compiler.recipe.amounts import Delay
from mlops_compiler.section import Section

_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Accelerator = Annotated[str, Field(pattern=_PATTERN)]
"""What Ray calls a kind of GPU: ``H100``, ``A100``, ``L4``, ``T4``."""
_KIND = {"type": "string", "pattern": _PATTERN}


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Accelerators = Annotated[
    tuple[Accelerator, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [_KIND, {"type": "array", "items": _KIND, "minItems": 1}]}),
]
"""Several kinds of GPU, or one."""


class Resources(Section):
    """What one trial of a model takes."""

    cpu: Annotated[int, Field(ge=1, le=1024)] = 1
    """Cores, and the threads that the estimator uses."""
    gpu: Literal["auto"] | Annotated[float, Field(ge=0, le=64)] = 0
    """GPUs; a fraction shares one; ``auto`` takes (a part of) a GPU where the cluster has one, else none."""
    gpu_memory: Annotated[float, Field(gt=0, le=4096)] | None = None
    """GiB of a GPU that ``gpu: auto`` counts with for one trial; measured, where not given."""
    accelerator: Accelerators | None = None
    """The kind of GPU, or several, of which the first that the cluster has is taken; any, where not given."""
    memory: Annotated[float, Field(gt=0)] | None = None
    """GiB of memory to reserve."""


class Cluster(Section):
    """Where the engine runs."""

    engine: Literal["ray", "in_process"] = "ray"
    """What runs the stages: Ray; or the program's own process, which is there at once and suits small tables."""
    address: Annotated[str, Field(pattern=r"^(embedded|auto|ray://.+|[^/:]+:\d+)$")] = "embedded"
    """``embedded`` starts Ray for the run; ``auto``, ``ray://host:port`` or ``host:port`` join a cluster."""
    cpus: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Cores of the embedded engine; all of the machine's, where not given."""
    gpus: Annotated[int, Field(ge=0, le=64)] | None = None
    """GPUs of the embedded engine; those it finds, where not given."""
    wait: Delay = 30.0
    """How long trials wait for a node that was lost to come back, or another one like it, before they do without."""
    jobs: Annotated[str, Field(pattern=r"^https?://.+$")] | None = None
    """Where the cluster takes jobs, ``http://host:8265``; for ``run --submit``."""

    @model_validator(mode="after")
    def _in_process_is_here(self) -> Self:
        if self.engine == "in_process":
            beyond = {"address": self.address != "embedded", "gpus": bool(self.gpus), "jobs": self.jobs is not None}
            for key, given in beyond.items():
                if given:
                    raise ValueError(f"`engine` is in_process, and `{key}` needs Ray")
        return self
