"""What may stand at each place of a recipe, read off the models: keys, kinds, types and bounds.

Messages are made from this, not from Pydantic's, which speak of every arm of a union that a value is not.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mlops_compiler.ir.domain import DOMAIN_TYPES
from mlops_compiler.section import field_docs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UNIONS = (Union, types.UnionType)


@dataclass(frozen=True)
class Shape:
    """What may stand at one place.

    Attributes:
        type: The annotation, without its metadata.
        rules: The metadata: bounds, lengths, patterns.
        discriminator: The key that says which arm of a union a mapping is.
    """

    type: Any
    rules: tuple[Any, ...] = ()
    discriminator: str | None = None

    @cached_property
    def arms(self) -> tuple[Shape, ...]:
        """The alternatives of a union, itself where it is none; domains and absence are not counted."""
        if get_origin(self.type) not in _UNIONS:
            return (self,)
        inner = [shape_of(arm) for arm in get_args(self.type) if arm not in (*DOMAIN_TYPES, type(None))]
        return tuple(arm for shape in inner for arm in shape.arms)

    @cached_property
    def is_searchable(self) -> bool:
        """Whether a search domain may stand here."""
        return get_origin(self.type) in _UNIONS and any(arm in DOMAIN_TYPES for arm in get_args(self.type))

    @property
    def is_section(self) -> bool:
        """Whether it is a mapping with known keys."""
        return isinstance(self.type, type) and issubclass(self.type, BaseModel)

    @cached_property
    def sections(self) -> Mapping[str, Shape]:
        """The sections that the discriminator chooses from, by their tag."""
        return {tag: arm for arm in self.arms for tag in _tags(arm, self.discriminator)}

    @cached_property
    def keys(self) -> Mapping[str, Shape]:
        """The known keys of a section, with what may stand there."""
        return {field.alias or name: of_field(field) for name, field in self.fields.items()}

    @property
    def fields(self) -> Mapping[str, FieldInfo]:
        """The fields of a section, by Python's names."""
        fields: Mapping[str, FieldInfo] = self.type.model_fields if self.is_section else {}
        return fields

    def describe(self, key: str) -> str | None:
        """Say what a key of a section is for, in the first sentence of its documentation."""
        name = next((name for name, item in self.fields.items() if key in {name, item.alias}), None)
        doc = field_docs(self.type).get(name) if name else None
        return " ".join(doc.split()).partition(". ")[0].rstrip(".") if doc else None

    @cached_property
    def without_domains(self) -> Shape:
        """What may stand here once it is decided."""
        return shape_of(Union[tuple(_annotation(arm) for arm in self.arms)])  # noqa: UP007 - known at run time only

    def allows(self, value: object) -> bool:
        """Say whether a plain value may stand here."""
        try:
            TypeAdapter(_annotation(self.without_domains)).validate_python(value, strict=True)
        except ValidationError:
            return False
        return True

    def arm_for(self, value: object) -> Shape | None:
        """Choose the arm that a value means to be, by its kind or its form; None where there is none."""
        if self.discriminator is not None:
            tag = value.get(self.discriminator) if isinstance(value, dict) else None
            return self.sections.get(tag) if isinstance(tag, str) else None
        return next((arm for arm in self.arms if arm.has_form_of(value)), None)

    def has_form_of(self, value: object) -> bool:
        """Say whether a mapping, list or scalar is right here, whatever is in it."""
        if isinstance(value, dict):
            return self.is_section or get_origin(self.type) is dict
        if isinstance(value, list):
            return get_origin(self.type) in {tuple, list}
        return get_origin(self.type) is Literal or (not self.is_section and isinstance(self.type, type))

    def child(self, key: str | int) -> Shape | None:
        """Return what may stand under a key or at an index of this arm."""
        arguments = get_args(self.type)
        if self.is_section:
            return self.keys.get(str(key))
        if get_origin(self.type) is dict:
            return shape_of(arguments[1])
        if get_origin(self.type) in {tuple, list} and isinstance(key, int):
            index = 0 if len(arguments) == 2 and arguments[1] is Ellipsis else key  # noqa: PLR2004 - tuple[T, ...]
            return shape_of(arguments[index]) if index < len(arguments) else None
        return None

    @property
    def key_shape(self) -> Shape | None:
        """What the keys of a named mapping must be."""
        return shape_of(get_args(self.type)[0]) if get_origin(self.type) is dict else None


def of_field(field: FieldInfo) -> Shape:
    """Return what may stand in a field of a model."""
    inner = shape_of(field.annotation)
    discriminator = field.discriminator if isinstance(field.discriminator, str) else inner.discriminator
    return Shape(inner.type, (*inner.rules, *_flat(field.metadata)), discriminator)


@lru_cache(maxsize=1024)
def _cached(annotation: Any) -> Shape:
    rules: list[Any] = []
    discriminator = None
    while get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        for item in metadata:
            if isinstance(item, FieldInfo) and isinstance(item.discriminator, str):
                discriminator = item.discriminator
        rules = [*_flat(metadata), *rules]
    return Shape(annotation, tuple(rules), discriminator)


def shape_of(annotation: Any) -> Shape:
    """Return what an annotation allows."""
    if isinstance(annotation, TypeVar):
        return Shape(object)
    try:
        return _cached(annotation)
    except TypeError:  # metadata that cannot be hashed
        return _cached.__wrapped__(annotation)


def _flat(metadata: Iterable[Any]) -> list[Any]:
    """Take the rules out of the ``Field(...)`` that hold them."""
    flat: list[Any] = []
    for item in metadata:
        flat += _flat(item.metadata) if isinstance(item, FieldInfo) else [item]
    return flat


def _annotation(shape: Shape) -> Any:
    return Annotated[(shape.type, *shape.rules)] if shape.rules else shape.type


def _tags(arm: Shape, discriminator: str | None) -> tuple[str, ...]:
    field = None if discriminator is None else arm.fields.get(discriminator)
    return () if field is None else get_args(field.annotation)
