"""`python -m mlops_compiler` is `mlops-compile`."""

from mlops_compiler.cli import entry

entry()
