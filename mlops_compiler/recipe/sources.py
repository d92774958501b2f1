"""`source:` says what a table is read from: files of a kind, a Delta table, or a database."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.governance import Secret
from mlops_compiler.section import Section

_PASSWORD = re.compile(r"postgresql://[^/@]*:[^/@]*@|.*[?&]password=")


class FileSource(Section):
    """What every source made of files says."""

    path: Annotated[str, Field(min_length=1)]
    """A file, or a pattern such as ``data/2024-*.csv`` for many of the same columns, from the recipe's folder; or a URL
    of an object store, ``s3://bucket/sales/*.parquet``."""


class CsvSource(FileSource):
    """Comma-separated values with a header."""

    kind: Literal["csv"]
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The character between two values."""
    null_values: tuple[str, ...] = ("", "NA")
    """Texts that mean a missing value."""


class ParquetSource(FileSource):
    """Parquet, which says its types itself."""

    kind: Literal["parquet"]


class NdjsonSource(FileSource):
    """One JSON object a line."""

    kind: Literal["ndjson"]


class DeltaSource(Section):
    """A Delta table, which says its types itself and keeps its own versions."""

    kind: Literal["delta"]
    path: Annotated[str, Field(min_length=1)]
    """The table's folder, from the recipe's folder."""
    version: Annotated[int, Field(ge=0)] | None = None
    """The table's version; the last, where it is not given."""


class SqlSource(Section):
    """A table of a database, or what a query gives."""

    kind: Literal["sql"]
    url: Annotated[str, Field(pattern=r"^(sqlite:///|postgresql://).+")] | Secret
    """The database: ``sqlite:///data/shop.db``, from the recipe's folder (four slashes begin an absolute path), or
    ``postgresql://host/shop``; of PostgreSQL also a secret that holds it, as one with a password must be."""
    table: Annotated[str, Field(min_length=1)] | None = None
    """A table or view; of PostgreSQL also ``schema.table``."""
    query: Annotated[str, Field(min_length=1)] | None = None
    """A SELECT in the database's own SQL; it may change nothing."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("a database needs `table` or `query`, and not both")
        if isinstance(self.url, str) and _PASSWORD.match(self.url):
            raise ValueError("no password may stand in a recipe: name a variable of the environment, {secret: NAME}")
        return self

    @property
    def is_file(self) -> bool:
        """Whether the database is a file."""
        return isinstance(self.url, str) and self.url.startswith("sqlite:")

    @property
    def path(self) -> str:
        """The file of the database, its address, or the name of the secret that holds it."""
        if isinstance(self.url, Secret):
            return f"secret:{self.url.secret}"
        return self.url.removeprefix("sqlite:///")


Source = Annotated[CsvSource | ParquetSource | NdjsonSource | DeltaSource | SqlSource, Field(discriminator="kind")]


class TakenSource(Section):
    """Rows that intakes took in. It stands in the place of their source once a recipe is compiled, and in no recipe."""

    kind: Literal["taken"] = "taken"
    path: str
    """That of the source."""
    place: str
    """The file or URL of the rows."""
