"""A JSON Schema of the recipe language, for editors: made from the models and the kinds that are registered.

It lets through whatever the compiler accepts, and finds early most of what it does not. What one file cannot show
(columns, types of data, other keys) is the compiler's. Draft 2020-12 of JSON Schema, https://json-schema.org.
"""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic.json_schema import GenerateJsonSchema

from mlops_compiler.frontend.json_schema_domains import open_steps
from mlops_compiler.ir.domain import DOMAINS, is_domain, write_domain
from mlops_compiler.recipe.recipe import Recipe
from mlops_compiler.section import Section, field_docs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pydantic_core import core_schema

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PARTIAL = ".partial"
_REFERENCE = {
    "description": "A reference to another key, ${a.b}, or ??? for what the command line must give.",
    "type": "string",
    "pattern": r"^\?\?\?$|\$\{",
}
_BOUNDS = {"description": "[low, high]", "type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_REFER, _BOUND = {"$ref": "#/$defs/reference"}, {"$ref": "#/$defs/bounds"}
_DEFAULTS = {
    "description": "What the recipe is composed of: recipes that it builds on, and options of groups.",
    "type": "array",
    "items": {"type": ["string", "object"]},
    "examples": [["churn", "_self_"], [{"/search": "quick"}, "_self_"]],
}


def recipe_schema(rules: Iterable[str] = ()) -> Json:
    """Make the schema of a recipe.

    Args:
        rules: The codes that `allow` may name.
    """
    made = Recipe.model_json_schema(by_alias=True, mode="validation", schema_generator=_Generator)
    definitions: dict[str, Json] = made.pop("$defs")
    root = _edited(made)
    definitions = {name: _edited(value) for name, value in definitions.items()}
    root["properties"]["allow"]["else"]["items"]["anyOf"][0] = {"type": "string", "enum": sorted(rules)}
    root["properties"]["prepare"], definitions = open_steps(root["properties"]["prepare"], definitions)
    root["properties"]["defaults"] = _DEFAULTS
    required = root.pop("required")
    whole = {"required": required, "properties": root["properties"]}
    asking = _asking(definitions)
    part = {"properties": {name: _relaxed(value, asking) for name, value in root["properties"].items()}}
    return {
        "$schema": DIALECT,
        "title": "A recipe of mlops-compile",
        "description": "The whole life of a model, from its data to its release; docs/recipe.md explains every key.",
        "type": "object",
        "properties": {name: {} for name in root["properties"]},
        "additionalProperties": False,
        "if": {"required": ["defaults"]},
        "then": part,
        "else": whole,
        "$defs": {
            "reference": _REFERENCE,
            "bounds": _BOUNDS,
            **definitions,
            **{f"{name}{_PARTIAL}": _relaxed(definitions[name], asking) for name in sorted(asking)},
        },
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with our documentation of each key, and defaults as recipes write them."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """Describe the keys of a section."""
        made = super().model_schema(schema)
        model: Any = schema["cls"]
        docs = field_docs(model)
        for name, field in model.model_fields.items():
            about = made["properties"].get(field.alias or name)
            if about is None:
                continue
            if doc := docs.get(name) or _section_doc(model if _is_tag(field.annotation) else field.annotation):
                about["description"] = " ".join(doc.split()).replace("``", "`")
        return made

    def encode_default(self, dft: Any) -> Any:
        """Write a default as a recipe would."""
        if isinstance(dft, Section):
            return dft.model_dump(mode="json", by_alias=True, warnings=False)
        return write_domain(dft) if is_domain(dft) else super().encode_default(dft)


def _is_tag(annotation: Any) -> bool:
    """Whether a field only says which section this is."""
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def _section_doc(annotation: Any) -> str | None:
    """Take the documentation of the section that stands in a field."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return inspect.getdoc(kind)
    return None


def _edited(value: Any) -> Any:
    """Rewrite a schema in the way of the language, from the inside out."""
    if isinstance(value, list):
        return [_edited(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "discriminator" in value:
        return _by_kind(value)
    schema: Json = {}
    for key, item in value.items():
        if key == "properties":
            schema[key] = {name: _may_refer(_edited(part)) for name, part in item.items()}
        elif key != "title":
            schema[key] = copy.deepcopy(item) if key in {"default", "const", "enum", "examples"} else _edited(item)
    if "items" in schema:
        schema["items"] = _may_refer(schema["items"])
    return _named(_searched(schema))


def _searched(schema: Json) -> Json:
    """Write the domains that a value can be searched in, with the values of a choice as the key takes them."""
    arms = schema.get("anyOf", [])
    at = next((index for index, arm in enumerate(arms) if _is_any_domain(arm)), None)
    if at is None:
        return schema
    plain = [arm for index, arm in enumerate(arms) if index != at]
    choice = {"type": "array", "items": {"anyOf": plain} if len(plain) > 1 else plain[0], "minItems": 1}
    domain = {
        "description": "A search domain.",
        "type": "object",
        "properties": {name: choice if name == "choice" else _BOUND for name in DOMAINS},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {**schema, "anyOf": [*plain, domain]}


def _is_any_domain(arm: Json) -> bool:
    return list(arm.get("propertyNames", {}).get("enum", ())) == list(DOMAINS)


def _named(schema: Json) -> Json:
    """Spell out the keys that a mapping may have, so that editors offer them."""
    if "patternProperties" in schema:
        return {**schema, "additionalProperties": False}
    names = schema.get("propertyNames", {})
    known = names.get("enum") or ([names["const"]] if "const" in names else None)
    if known is None or list(known) == list(DOMAINS):
        return schema
    rest = {key: item for key, item in schema.items() if key not in {"propertyNames", "additionalProperties"}}
    value = _may_refer(schema.get("additionalProperties", {}))
    return {**rest, "properties": dict.fromkeys(known, value), "additionalProperties": False}


def _may_refer(schema: Json) -> Json:
    """Let a reference stand for a value that is no text."""
    if _takes_text(schema):
        return schema
    about: Json = {key: schema[key] for key in ("description", "default") if key in schema}
    value = {key: item for key, item in schema.items() if key not in about}
    return {**about, "if": _REFER, "else": value}  # so an editor tells what is wrong in a value, not that it refers not


def _takes_text(schema: Mapping[str, Any]) -> bool:
    if not schema or "else" in schema or any(_takes_text(arm) for arm in schema.get("anyOf", ())):
        return True
    return schema.get("type") == "string" and not {"enum", "const", "pattern"} & schema.keys()


def _by_kind(schema: Json) -> Json:
    """Choose a section by its kind, so that an editor speaks of that kind alone."""
    key, kinds = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
    arms = [
        {"if": {"required": [key], "properties": {key: {"const": kind}}}, "then": {"$ref": target}}
        for kind, target in kinds.items()
    ]
    about: Json = {name: schema[name] for name in ("description", "default") if name in schema}
    return {**about, "type": "object", "required": [key], "properties": {key: {"enum": list(kinds)}}, "allOf": arms}


def _asking(definitions: Mapping[str, Json]) -> set[str]:
    """Name the definitions that ask for keys, themselves or in what they hold."""
    found: set[str] = set()
    while more := {
        name for name, schema in definitions.items() if name not in found and _relaxed(schema, found) != schema
    }:
        found |= more
    return found


def _relaxed(value: Any, asking: Collection[str]) -> Any:
    """Ask for nothing: what is missing may come from what a recipe builds on."""
    if isinstance(value, list):
        return [_relaxed(item, asking) for item in value]
    if not isinstance(value, dict):
        return value
    made: Json = {}
    for key, item in value.items():
        if key == "$ref" and item.rpartition("/")[2] in asking:
            made[key] = f"{item}{_PARTIAL}"
        elif key in {"default", "enum", "const", "examples", "if"}:
            made[key] = item
        elif key != "required" and (key != "minProperties" or "maxProperties" in value):
            made[key] = _relaxed(item, asking)
    return made
