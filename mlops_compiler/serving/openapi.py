"""The service described in OpenAPI 3.0, compiled from the manifest: what it takes, what it answers, with examples.

The description and the checks come from the same fields: what the one calls right, the others take, but that JSON
Schema calls 5.0 an integer and a service does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.serving.exchange import ARROW_TYPE
from mlops_compiler.serving.guard import Limits
from mlops_compiler.serving.openapi_answers import OBJECT, SCHEMES, answer_of, let_in, refusal, usual_refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATETIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$"
_TYPES: dict[str, dict[str, Any]] = {
    "int": {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
    "float": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "text": {"type": "string"},
    "category": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "pattern": _DATETIME},
}
_STREAM = {
    "schema": {
        "type": "string",
        "format": "binary",
        "description": "An Arrow IPC stream without compression: a column for each field of a row.",
    }
}
_PROBABILITY = {"type": "number", "format": "double", "minimum": 0, "maximum": 1}


def describe(
    manifest: Mapping[str, Any],
    info: Mapping[str, Any],
    example: Any,
    root: str,
    *,
    keys: bool = False,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Describe the service of a release.

    Args:
        manifest: That of the release.
        info: ``recipe`` and ``release``.
        example: What the service answers to the manifest's example.
        root: The path under which it is served.
        keys: Whether it asks for an API key.
        limits: What it takes.
    """
    limits = limits or Limits()
    row = {"$ref": "#/components/schemas/Row"}
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": limits.rows}
    sent = {"schema": {"anyOf": [row, rows]}, "examples": _examples(manifest["example"], [manifest["example"]])}
    answer = {
        "schema": {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Answer", "Answers")]},
        "examples": _examples(example, _many(example)),
    }
    answered = answer_of("What the release says of the rows, in their order.", answer, **{ARROW_TYPE: _STREAM})
    return {
        "openapi": "3.0.3",
        "info": {"title": str(info["recipe"]), "version": str(info["release"]), "description": _about(manifest)},
        "servers": [{"url": root or "/"}],
        "paths": {
            "/": {
                "post": {
                    "operationId": "predict",
                    "summary": "Score one row, or many.",
                    "requestBody": {"required": True, "content": {"application/json": sent, ARROW_TYPE: _STREAM}},
                    "responses": {
                        "200": answered,
                        **usual_refusals(limits, keys=keys),
                        "422": refusal("A row does not keep the contract; every fault is named."),
                        "504": refusal("The answer took too long."),
                    },
                },
                "get": {
                    "operationId": "about",
                    "summary": "Say what is served.",
                    "responses": {
                        "200": answer_of("The recipe, the release, the contract, an example.", OBJECT),
                        **let_in(keys=keys),
                    },
                },
            },
            **outcome_paths(manifest, usual_refusals(limits, keys=keys), limits.rows),
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "What Prometheus reads.",
                    "responses": {
                        "200": {"description": "Its text format.", "content": {"text/plain": {}}},
                        **let_in(keys=keys),
                    },
                }
            },
            "/health": {
                "get": {
                    "operationId": "health",
                    "summary": "Say whether the release can answer: it scores its example again and again.",
                    "responses": {
                        "200": answer_of("It can.", OBJECT),
                        "503": answer_of("It answers otherwise than before, and is about to be replaced.", OBJECT),
                    },
                    "security": [],
                }
            },
        },
        "components": {"schemas": _schemas(manifest), **({"securitySchemes": SCHEMES} if keys else {})},
        **({"security": [{name: []} for name in SCHEMES]} if keys else {}),
    }


def outcome_paths(manifest: Mapping[str, Any], usual: Mapping[str, Any], rows_at_most: int) -> dict[str, Any]:
    """Describe how outcomes are sent; nothing where the task has none."""
    if not manifest.get("target"):
        return {}
    classes = list(manifest.get("classes") or ())
    outcome = {"enum": classes} if classes else {"type": "number", "format": "double"}
    name = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}
    key = manifest.get("key")
    ways = [{"id": name}, *([{key: name}] if key else [])]
    rows = [
        {
            "type": "object",
            "required": [*way, "outcome"],
            "properties": {**way, "outcome": outcome},
            "additionalProperties": False,
        }
        for way in ways
    ]
    many = {"type": "array", "minItems": 1, "maxItems": rows_at_most, "items": {"anyOf": rows}}
    example = {"id": "0" * 32, "outcome": classes[0] if classes else 1.0}
    sent = {"schema": {"anyOf": [*rows, many]}, "examples": _examples(example, [example])}
    return {
        "/labels": {
            "post": {
                "operationId": "labels",
                "summary": "Say what came of predictions; of several outcomes of one, the first one counts.",
                "requestBody": {"required": True, "content": {"application/json": sent}},
                "responses": {
                    "202": answer_of("Kept; `taken` is how many.", OBJECT),
                    **usual,
                    "422": refusal("An outcome is none; every fault is named."),
                    "503": refusal("The outcomes could not be kept: send them again."),
                },
            }
        }
    }


def _about(manifest: Mapping[str, Any]) -> str:
    what = str(manifest["task"]).replace("_", " ")
    return f"A {what} of `{manifest['target']}`." if manifest.get("target") else f"{what.capitalize()}."


def _examples(one: Any, many: Any) -> dict[str, Any]:
    return {"one": {"summary": "One row.", "value": one}, "many": {"summary": "Many rows.", "value": many}}


def _many(answer: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in answer.items() if name not in ("id", "release")}
    return {
        "id": answer["id"],
        "release": answer["release"],
        "predictions": [{"id": f"{answer['id']}-0", **rest}],
    }


def _schemas(manifest: Mapping[str, Any]) -> dict[str, Any]:
    prediction = _prediction(manifest)
    number = {"type": "integer", "description": "The release that answered."}
    name = {"type": "string", "description": "Names it, for its outcome and for `mlops-compile trace`."}
    said, needed = prediction["properties"], prediction["required"]
    return {
        "Row": row_schema(manifest),
        "Prediction": {**prediction, "required": ["id", *needed], "properties": {"id": name, **said}},
        "Answer": {
            **prediction,
            "required": ["id", "release", *needed],
            "properties": {"id": name, "release": number, **said},
        },
        "Answers": {
            "type": "object",
            "required": ["id", "release", "predictions"],
            "properties": {
                "id": name,
                "release": number,
                "predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}},
            },
        },
        "Fault": {
            "type": "object",
            "required": ["code", "expected", "found"],
            "properties": {
                "row": {"type": "integer", "minimum": 0, "description": "Which row of the request, from 0."},
                **{name: {"type": "string"} for name in ("field", "code", "expected", "found", "help")},
            },
        },
        "Refusal": {
            "type": "object",
            "required": ["error", "faults"],
            "properties": {"error": {"type": "string"}, **_FAULTS},
        },
    }


def row_schema(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a row of a request."""
    key = manifest.get("key")
    fields = [field for field in manifest["request"] if field["name"] != key]
    known = {field["name"]: _field(field) for field in fields}
    ignored = {name: {"description": "Taken, and not looked at."} for name in manifest.get("unused", ())}
    named = {key: {"description": "Comes back with the prediction.", "not": _NESTED}} if key else {}
    required = [field["name"] for field in fields if field["required"]]
    return {
        "type": "object",
        **({"required": required} if required else {}),
        "properties": {**known, **ignored, **named},
        "additionalProperties": False,
    }


_FAULTS = {
    "faults": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    "faults_in_all": {"type": "integer", "description": "How many there are, where not all are listed."},
}
_NESTED = {"anyOf": [{"type": "object"}, {"type": "array"}]}


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    schema = dict(_TYPES[field["type"]])
    if field.get("range") is not None:
        low, high = field["range"]
        schema["minimum"] = max(low, schema.get("minimum", low))
        schema["maximum"] = min(high, schema.get("maximum", high))
    if field.get("one_of") is not None:
        schema["enum"] = [*field["one_of"], *([None] if field["nullable"] else [])]
    if field.get("pattern") is not None:
        schema["pattern"] = f"^(?:{field['pattern']})$"
    if field["nullable"]:
        schema["nullable"] = True
    if field.get("description"):
        schema["description"] = field["description"]
    return schema


def _prediction(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what is said of one row."""
    number = {"type": "number", "format": "double"}
    match manifest["task"]:
        case "binary_classification":
            label = {"enum": list(manifest["classes"]), "description": "What the release's threshold makes of it."}
            said: dict[str, Any] = {
                "probability": {**_PROBABILITY, "description": f"Of {manifest['positive']!r}."},
                "decision": label,
            }
        case "multiclass_classification":
            shares = {str(name): _PROBABILITY for name in manifest["classes"]}
            said = {
                "decision": {"enum": list(manifest["classes"])},
                "probabilities": {"type": "object", "required": list(shares), "properties": shares},
            }
        case "anomaly_detection":
            said = {"score": _PROBABILITY, "anomaly": {"type": "boolean"}}
        case "clustering":
            said = {"cluster": {"type": "integer", "minimum": -1}, "distance": number}
        case _:
            said = {"prediction": number}
    return {"type": "object", "required": list(said), "properties": said}
