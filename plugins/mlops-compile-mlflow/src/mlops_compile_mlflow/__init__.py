"""MLflow as a tracker of mlops-compile; MLflow itself is imported in the tracker's thread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.governance import Secret
from mlops_compiler.section import Section
from mlops_compiler.track.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.track.tracker import Log, RunFacts

_PASSWORD = re.compile(r"[a-z+]+://[^/@]*:[^/@]*@")


class MlflowSettings(Section):
    """Runs and trials in MLflow."""

    uri: Annotated[str, Field(min_length=1)] | Secret
    """The tracking server, ``https://...``, or a folder, ``file:///...``; or a secret that holds it."""
    experiment: Annotated[str, Field(min_length=1)] | None = None
    """The experiment that runs are noted in; the recipe's name, where it is not given."""

    @model_validator(mode="after")
    def _holds_no_password(self) -> Self:
        if isinstance(self.uri, str) and _PASSWORD.match(self.uri):
            raise ValueError("no password may stand in a recipe: name a variable of the environment, {secret: NAME}")
        return self


class Mlflow(Tracker):
    """A tracker that notes runs down in MLflow."""

    name = "mlflow"
    settings = MlflowSettings

    def begin(self, settings: Any, run: RunFacts, environ: Mapping[str, str]) -> Log:
        """Open the experiment and make the run.

        Raises:
            KeyError: The secret is not in the environment.
        """
        from mlops_compile_mlflow.log import MlflowLog

        uri = settings.uri if isinstance(settings.uri, str) else environ.get(settings.uri.secret, "").strip()
        if not uri:
            raise KeyError(f"the secret `{settings.uri.secret}` is not in the environment")
        return MlflowLog(uri, settings.experiment or run.recipe, run)


MLFLOW = Mlflow()
