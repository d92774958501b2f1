"""What every route of a service answers, in OpenAPI: how it is let in, and why it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.serving.guard import Limits

OBJECT = {"schema": {"type": "object"}}
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def let_in(*, keys: bool) -> dict[str, Any]:
    """Describe how the gate refuses."""
    asked = {
        "401": refusal("No API key, or none that opens anything."),
        "403": refusal("The key opens other things."),
    }
    return {**(asked if keys else {}), "429": refusal("Too many requests; `Retry-After` says when to come again.")}


def usual_refusals(limits: Limits, *, keys: bool) -> dict[str, Any]:
    """Describe how what has a body is refused."""
    return {
        "400": refusal("The body cannot be read."),
        **let_in(keys=keys),
        "408": refusal("The body did not come in time."),
        "413": refusal(f"More than {limits.bytes:,} bytes, or more than {limits.rows:,} rows."),
    }


def answer_of(description: str, content: Mapping[str, Any], **others: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an answer in JSON; or in other types, by their name."""
    return {"description": description, "content": {"application/json": dict(content), **others}}


def refusal(description: str) -> dict[str, Any]:
    """Describe an answer that says why there is none."""
    return answer_of(description, {"schema": {"$ref": "#/components/schemas/Refusal"}})
