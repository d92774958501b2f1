"""A parameter is a value, or a domain of which every point is such a value: bounds hold for both.

A wrong one is a finding about the recipe, in one sentence, before anything is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args

from pydantic import ConfigDict
from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

from mlops_compiler.ir.domain import (
    DOMAIN_TYPES,
    DOMAINS,
    Choice,
    IntLogUniform,
    IntUniform,
    LogUniform,
    Searchable,
    Uniform,
    parse_domain,
    write_domain,
)
from mlops_compiler.section import Section

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

T = TypeVar("T")


class Parameters(Section):
    """The base of a kind's parameters: every field is ``Tunable``."""

    model_config = ConfigDict(defer_build=True)  # a recipe builds a class of its own from it


@dataclass(frozen=True, slots=True)
class _EveryPointFits:
    """Replaces Pydantic's union, whose errors name every domain that a wrong number is not either."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        union: Any = Union[tuple(arm for arm in get_args(source) if arm not in DOMAIN_TYPES)]  # noqa: UP007
        plain = handler.generate_schema(union)
        domain = core_schema.dict_schema(
            core_schema.literal_schema(list(DOMAINS)), core_schema.list_schema(), min_length=1, max_length=1
        )
        return core_schema.no_info_plain_validator_function(
            _Point(plain).parse,
            json_schema_input_schema=core_schema.union_schema([plain, domain]),
            serialization=core_schema.plain_serializer_function_ser_schema(write_domain, when_used="json"),
        )


# A `Searchable` whose domains keep the bounds of its values.
Tunable = Annotated[Searchable[T], _EveryPointFits()]


class _Point:
    """A value of a parameter, as its type allows it.

    Args:
        schema: The type, without the domains.
    """

    def __init__(self, schema: CoreSchema) -> None:
        self._schema = schema

    @cached_property
    def _validator(self) -> SchemaValidator:
        """Built when a recipe gives a value; most parameters of most kinds are left alone."""
        return SchemaValidator(self._schema)

    def parse(self, value: object) -> object:
        """Refuse a domain with a point that is no value; its ends speak for all, as bounds are intervals."""
        domain = parse_domain(value)
        match domain:
            case Choice(values=values):
                return Choice(values=tuple(self._valid(item) for item in values))
            case Uniform(low=low, high=high) | LogUniform(low=low, high=high):
                self._valid(float(low))
                self._valid(float(high))
            case IntUniform(low=low, high=high) | IntLogUniform(low=low, high=high):
                self._valid(low)
                self._valid(high)
            case _:
                return self._valid(domain)
        return domain

    def _valid(self, value: object) -> object:
        try:
            return self._validator.validate_python(value, strict=True)
        except ValidationError as error:
            raise ValueError(self._sentence(value, error)) from None

    def _sentence(self, value: object, error: ValidationError) -> str:
        wishes = [item["msg"].removeprefix("Input should be ") for item in error.errors()]
        if self._validator.isinstance_python(None, strict=True):
            wishes.append("null")
        return f"it should be {', or '.join(wishes)}; not {value!r}"
