"""What every mapping that a person writes shares: it is frozen, and a key that it does not know is an error."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import lru_cache
from itertools import pairwise

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """The base of every mapping in a recipe."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, populate_by_name=True)


@lru_cache(maxsize=256)
def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Read the docstrings below a model's fields, its bases' included.

    Pydantic can do that as it builds a model, and then takes half of the time that a command needs to start; here
    it is done when somebody asks.
    """
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel and base.__module__ != Section.__module__:
            docs |= _own_docs(base)
    return docs


def _own_docs(model: type[BaseModel]) -> dict[str, str]:
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    except (OSError, TypeError):  # made by `create_model`: there is no source
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    docs: dict[str, str] = {}
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                docs[name] = inspect.cleandoc(doc)
    return docs
