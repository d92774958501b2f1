"""The servers that are compared: how each is started, what it is asked, and where its answer has the probability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Row = Mapping[str, Any]

APPS = Path(__file__).parent / "apps"
PEERS = Path(__file__).parent / "peers"


def as_is(row: Row) -> bytes:
    """Send a row as an object."""
    return orjson.dumps(row)


def _below(name: str, *, many: bool = False) -> Callable[[Row], bytes]:
    return lambda row: orjson.dumps({name: [row] if many else row})


def as_tensors(row: Row) -> bytes:
    """Send a row as the Open Inference Protocol has it: a tensor for each column."""
    inputs = [{"name": name, "shape": [1, 1], "data": [value], **_tensor(value)} for name, value in row.items()]
    outputs = [{"name": "predict_proba"}]
    return orjson.dumps({"parameters": {"content_type": "pd"}, "inputs": inputs, "outputs": outputs})


def _tensor(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"datatype": "BYTES", "parameters": {"content_type": "str"}}
    return {"datatype": "FP64" if isinstance(value, float) else "INT64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A server.

    Attributes:
        name: What it is called in the table and on the command line.
        about: What it is, in a few words.
        script: What starts it, in `APPS`; it is given a port of the loopback interface and a folder, and runs until it
            is ended.
        group: Those of a group run at the same time, and take turns; the first one is what the others are measured by.
        arguments: What the script is given beside that.
        path: Where rows are sent.
        body: Makes the body of a request of a row.
        found: Finds the probability in the parsed answer.
        peer: The file ``peers/NAME.txt`` of its environment; None for this project's own.
        imports: What must be importable there.
    """

    name: str
    about: str
    script: str
    group: str
    arguments: tuple[str, ...] = ()
    path: str = "/"
    body: Callable[[Row], bytes] = as_is
    found: Callable[[Any], float] = lambda answer: float(answer["probability"])
    peer: str | None = None
    imports: str = "sys"

    @property
    def pins(self) -> Path | None:
        """What is installed in its environment."""
        return None if self.peer is None else PEERS / f"{self.peer}.txt"


PLAIN, SERVE, HAPROXY = "one process", "Ray Serve, its own proxy", "Ray Serve, HAProxy"
SYSTEMS = {
    item.name: item
    for item in (
        System(name="ours", about="a release under uvicorn", script="ours_uvicorn.py", group=PLAIN),
        System(name="fastapi", about="FastAPI under uvicorn", script="fastapi_app.py", group=PLAIN),
        System(
            name="litserve",
            about="LitServe",
            script="litserve_app.py",
            group=PLAIN,
            path="/predict",
            peer="litserve",
            imports="litserve",
        ),
        System(
            name="mlserver",
            about="MLServer, its scikit-learn runtime",
            script="mlserver_start.py",
            group=PLAIN,
            path="/v2/models/churn/infer",
            body=as_tensors,
            found=lambda answer: float(answer["outputs"][0]["data"][1]),
            peer="mlserver",
            imports="mlserver_sklearn",
        ),
        System(
            name="mlflow",
            about="mlflow models serve",
            script="mlflow_start.py",
            group=PLAIN,
            path="/invocations",
            body=_below("dataframe_records", many=True),
            found=lambda answer: float(answer["predictions"][0][1]),
            peer="mlflow",
            imports="mlflow.sklearn",
        ),
        System(
            name="bentoml",
            about="BentoML",
            script="bentoml_start.py",
            group=PLAIN,
            path="/predict",
            body=_below("row"),
            peer="bentoml",
            imports="bentoml",
        ),
        System(name="ours_serve", about="mlops-compile deploy", script="ours_serve.py", group=SERVE, path="/churn"),
        System(name="ray_serve", about="FastAPI, written by hand", script="ray_serve_app.py", group=SERVE),
        System(
            name="ours_haproxy",
            about="mlops-compile deploy",
            script="ours_serve.py",
            group=HAPROXY,
            arguments=("haproxy",),
            path="/churn",
        ),
        System(
            name="ray_haproxy",
            about="FastAPI, written by hand",
            script="ray_serve_app.py",
            group=HAPROXY,
            arguments=("haproxy",),
        ),
    )
}
