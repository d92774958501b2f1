"""`verify:` says what a release must show at the service before traffic reaches it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.section import Section


class Verify(Section):
    """What is tried before a release answers clients."""

    replay: Literal["holdout", "none"] = "holdout"
    """The rows that are sent through the service, and must be answered as they were offline, to the last bit."""
    rows: Annotated[int, Field(ge=1, le=100_000)] = 500
    """How many of them, at most."""
    shadow: Literal["previous", "none"] = "none"
    """Whose traffic the release is asked too, before any of its answers is returned."""
    compatible: bool = True
    """Whether a release is refused that takes less, or answers otherwise, than the one in place."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How far two releases' numbers may lie apart before they disagree, where they decide nothing."""
