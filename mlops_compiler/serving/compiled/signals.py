"""What has no compiled form is left to the batch path: a step or a model at its load, a row as it comes."""

from __future__ import annotations


class Uncompiled(Exception):  # noqa: N818 - a signal between the compiler of rows and its caller
    """A step, an expression or a model has no compiled form."""


class Beyond(Exception):  # noqa: N818 - likewise
    """A row is one that the compiled form does not answer: the batch path does, or says what is wrong with it."""
