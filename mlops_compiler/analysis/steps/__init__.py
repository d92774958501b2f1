"""Each step of a recipe becomes an op with its columns resolved, and a schema that says what it gives."""

from mlops_compiler.analysis.steps import levels, numbers, tables  # noqa: F401 - they register what they resolve
from mlops_compiler.analysis.steps.common import made_by, named_by_itself, removed_by, resolve, step_schema

__all__ = ["made_by", "named_by_itself", "removed_by", "resolve", "step_schema"]
