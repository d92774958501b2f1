"""`models:` is a named mapping of candidates; each kind brings its own parameters and default search space."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from mlops_compiler.models.kind import Direction
from mlops_compiler.models.registry import MODELS
from mlops_compiler.recipe.resources import Resources
from mlops_compiler.section import Section

if TYPE_CHECKING:
    from mlops_compiler.ir.domain import Domain, Scalar


class Model(Section):
    """What every candidate may say, whatever its kind; its parameters are the kind's own."""

    kind: str
    description: str | None = None
    """Why it is tried; shown with the leaderboard."""
    resources: Resources = Resources()
    imbalance: Literal["balanced"] | None = None
    """``balanced``: where it learns, all classes weigh the same; its probabilities are then not calibrated."""
    monotone: dict[str, Direction] = Field(default_factory=dict)
    """Features with which what it predicts may only rise or only fall, whatever the other features: a value, or the
    probability of the positive class."""
    calibrate: Literal["isotonic", "sigmoid"] | None = None
    """How its probabilities are calibrated, by answers to rows that it did not learn from; not at all by default."""

    @property
    def parameters(self) -> dict[str, Scalar | Domain]:
        """The kind's parameters, each a value or a domain, in the kind's order."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in Model.model_fields}


def _config(name: str) -> type[Model]:
    parameters: Any = MODELS[name].parameters
    tag: Any = Literal[name]
    return create_model(name, __base__=(Model, parameters), __doc__=parameters.__doc__, kind=(tag, ...))


if TYPE_CHECKING:
    AnyModel = Model
else:
    _union: Any = reduce(or_, (_config(name) for name in MODELS))
    AnyModel = Annotated[_union, Field(discriminator="kind")]
