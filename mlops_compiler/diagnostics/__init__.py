"""What a user is told when something is wrong."""

from mlops_compiler.diagnostics.diagnostic import Diagnostic, Note, Severity
from mlops_compiler.diagnostics.errors import DataError, EngineError, MlopsError, RecipeError, UsageError
from mlops_compiler.diagnostics.render_concise import render_concise
from mlops_compiler.diagnostics.render_github import render_github
from mlops_compiler.diagnostics.render_json import render_json
from mlops_compiler.diagnostics.render_text import render_text
from mlops_compiler.diagnostics.secrets import mask
from mlops_compiler.diagnostics.sink import Sink
from mlops_compiler.diagnostics.span import COMMAND_LINE, Span
from mlops_compiler.diagnostics.suggest import did_you_mean, listing, nearest

__all__ = [
    "COMMAND_LINE",
    "DataError",
    "Diagnostic",
    "EngineError",
    "MlopsError",
    "Note",
    "RecipeError",
    "Severity",
    "Sink",
    "Span",
    "UsageError",
    "did_you_mean",
    "listing",
    "mask",
    "nearest",
    "render_concise",
    "render_github",
    "render_json",
    "render_text",
]
