"""A first recipe for a table, with the reason of each line."""

from mlops_compiler.draft.recipe import draft
from mlops_compiler.draft.table import Table, read_table

__all__ = ["Table", "draft", "read_table"]
