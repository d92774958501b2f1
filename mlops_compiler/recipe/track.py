"""`track:` is a named mapping of trackers: where runs are noted down beside the store."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from mlops_compiler.track.registry import TRACKERS
from mlops_compiler.track.tracker import TrackerSettings


def _config(name: str) -> type[TrackerSettings]:
    settings: Any = TRACKERS[name].settings
    tag: Any = Literal[name]
    return create_model(name, __base__=(TrackerSettings, settings), __doc__=settings.__doc__, kind=(tag, ...))


if TYPE_CHECKING:
    AnyTracker = TrackerSettings
else:
    AnyTracker = Annotated[reduce(or_, (_config(name) for name in TRACKERS)), Field(discriminator="kind")]
