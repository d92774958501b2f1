"""A replica is one release: it loads what the manifest names, scores its example, and answers; or it does not start.

Imported by name on the workers of a cluster, where this package must be installed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.store.records import ENVIRONMENTS, service_name

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from mlops_compiler.serving.predictor import Predictor
    from mlops_compiler.serving.service import Around
    from mlops_compiler.serving.traffic import Traffic
    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import ServiceName

_REFUSED_AT_ONCE = 64
"""Requests beyond what a replica takes that reach it: its gate refuses them in JSON, which Serve does not."""
_QUEUED = 512
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
"""One request is one row: threads would only fight for the cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What a replica takes.

    Attributes:
        cpus: Cores that it reserves. It waits most of its time, and two cores shall take eight of them.
        gpu: GPUs likewise, or a part of one.
        target_ongoing: Requests that it has in hand before there are more replicas.
        drain: Seconds that it may take for the requests that it has, when it ends.
    """

    cpus: float = 0.25
    gpu: float = 0.0
    target_ongoing: int = 4
    drain: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """What a service runs.

    Attributes:
        location: The store; absolute, and reachable from the workers.
        manifest: The digest of the release's manifest.
        recipe: The recipe's name.
        release: The release's number.
        route: The prefix of its paths.
        replicas: Fewest and most.
        sizing: What each of them takes.
        candidate: Whether it runs beside the release in place, whose replicas ask it.
        settings: How it behaves around the release, as `ServiceSettings` writes it.
        metrics: The folder that replicas of one machine share for their counts; None for none.
        environment: Whose service it is.
        app: The name of the application, and of the rollouts that replace it.
    """

    location: StoreLocation
    manifest: str
    recipe: str
    release: int
    route: str
    replicas: tuple[int, int]
    sizing: Sizing = field(default_factory=Sizing)
    candidate: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: str | None = None
    environment: str = ENVIRONMENTS[0]
    app: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the specification as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AppSpec:
        """Read a specification back; of one that an older version wrote, what it lacks as it was then."""
        from mlops_compiler.store.location import StoreLocation

        location, replicas = StoreLocation(**value["location"]), tuple(value["replicas"])
        sizing = Sizing(**value.get("sizing", {}))
        app = value.get("app") or value["recipe"]
        return cls(**{**value, "location": location, "replicas": replicas, "sizing": sizing, "app": app})

    @property
    def service(self) -> ServiceName:
        """What the service is called in its log; its application has that name, too, unless it is an older one's."""
        return service_name(self.recipe, self.environment)

    @property
    def info(self) -> dict[str, Any]:
        """What the service tells of itself."""
        return {
            "recipe": self.recipe,
            "environment": self.environment,
            "release": self.release,
            "manifest": self.manifest,
        }


class Replica:
    """Holds one release, loaded in the constructor; Serve asks it for its app."""

    def __init__(self, spec: AppSpec) -> None:
        from mlops_compiler.backends.ray.serve_loopback import keep_to_loopback
        from mlops_compiler.serving.app import create_app
        from mlops_compiler.serving.compiled.proof import prove
        from mlops_compiler.serving.predictor import Predictor
        from mlops_compiler.store.reader import open_reader

        keep_to_loopback()
        reader = open_reader(spec.location)
        predictor = Predictor.load(reader, spec.manifest)
        traffic = None if spec.candidate else _steered(spec, predictor.manifest.get("key"))
        around = _around(spec, predictor, traffic)
        compiled = prove(predictor, reader.objects.get)
        self._app, self._log = create_app(predictor, spec.info, around, compiled), around.log

    async def ask(self, body: bytes, about: dict[str, Any]) -> tuple[int, bytes]:
        """Answer a request that a replica of the release in place passes on: the status, and the body."""
        status, answer = await self._app.state.service.ask(body, about)
        return status, answer

    def check_health(self) -> None:
        """Score the example again; Serve asks for it every few seconds, and replaces a replica that cannot."""
        self._app.state.service.check()

    def __del__(self) -> None:
        """Write what waits; Serve calls it when the last requests are answered."""
        if (log := getattr(self, "_log", None)) is not None:
            log.close()

    def __serve_build_asgi_app__(self) -> Starlette:
        """Give Serve the app to run."""
        return self._app


def _around(spec: AppSpec, predictor: Predictor, traffic: Traffic | None) -> Around:
    """Make what stands around the release of a replica, and set it going."""
    from mlops_compiler.serving.guard import Guard
    from mlops_compiler.serving.keys import KeyRing
    from mlops_compiler.serving.labels import LabelBook
    from mlops_compiler.serving.meters import Meters
    from mlops_compiler.serving.prediction_log import PredictionLog
    from mlops_compiler.serving.service import Around
    from mlops_compiler.store.reader import open_reader

    settings = ServiceSettings.from_json(spec.settings)
    keys = log = None
    if settings.auth:
        keys = KeyRing(lambda: open_reader(spec.location).keys(spec.recipe, spec.environment))
        keys.start()
    if settings.log is not None:
        key = predictor.manifest.get("key")
        log = PredictionLog(spec.location, spec.service, spec.release, settings.log, key=key)
        log.start()
    return Around(
        traffic=traffic,
        guard=Guard(keys, settings.limits),
        log=log,
        labels=LabelBook(spec.location, spec.service, predictor.manifest, settings.limits.rows),
        meters=Meters(spec.recipe, spec.release, spec.environment),
    )


def _steered(spec: AppSpec, key: str | None) -> Traffic:
    """Make what steers the traffic of a replica, and have it follow the rollouts of its service."""
    import uuid

    from mlops_compiler.backends.ray.serve_board import Candidates, Watch
    from mlops_compiler.serving.traffic import Traffic

    traffic = Traffic(spec.release, key, Candidates().ask)
    Watch(spec.app, uuid.uuid4().hex, traffic).start()
    return traffic


def build(spec: AppSpec) -> Any:
    """Make the Serve application of a release; nothing runs yet.

    New replicas of a rollout start beside the old ones, which go on serving until those are ready.
    """
    from ray import serve
    from ray.serve.config import BackpressureConfig

    least, most = spec.replicas
    at_once = ServiceSettings.from_json(spec.settings).limits.at_once
    by_load = {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": spec.sizing.target_ongoing}
    scaling: dict[str, Any] = {"autoscaling_config": by_load} if most > least else {"num_replicas": least}
    variables = _THREADS if spec.metrics is None else {**_THREADS, METRICS_FOLDER: spec.metrics}
    deployment = serve.deployment(
        serve.ingress()(Replica),
        name="release",
        ray_actor_options={
            "num_cpus": spec.sizing.cpus,
            "num_gpus": spec.sizing.gpu,
            "runtime_env": {"env_vars": variables},
        },
        max_ongoing_requests=at_once + _REFUSED_AT_ONCE,
        max_queued_requests=_QUEUED,
        backpressure_config=BackpressureConfig(status_code=429, retry_after_s=1),
        graceful_shutdown_wait_loop_s=0.2,
        graceful_shutdown_timeout_s=spec.sizing.drain,
        health_check_period_s=5,
        max_constructor_retry_count=2,
        max_surge_percent=100,
        **scaling,
    )
    return deployment.bind(spec)
