"""What can go wrong with a store, said once."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note
from mlops_compiler.places import place_errors

if TYPE_CHECKING:
    from collections.abc import Iterator


def failure(code: str, headline: str, *, note: str | None = None, mend: str | None = None) -> EngineError:
    """Make the error of a store that fails."""
    notes = (Note(text=note),) if note else ()
    return EngineError([Diagnostic(code=code, headline=headline, notes=notes, help=mend)])


@contextmanager
def writing(place: str) -> Iterator[None]:
    """Turn the errors of the file system into ones that say what to do.

    Raises:
        EngineError: The disk is full, or the place cannot be written.
    """
    try:
        yield
    except place_errors() as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise failure(
                "store-full",
                f"no space is left for the store at {place}",
                mend="free some, and run again: what is finished is kept",
            ) from error
        raise failure("store-unwritable", f"the store at {place} cannot be written", note=str(error)) from error


def missing(digest: str) -> EngineError:
    """An object that a record names is not there."""
    return failure(
        "artifact-missing",
        f"the store lacks object {digest[:12]}",
        mend="run the recipe again to make it anew",
    )


def corrupt(digest: str) -> EngineError:
    """An object's content is not what its name says."""
    return failure(
        "artifact-corrupt",
        f"object {digest[:12]} of the store does not have the content that its name is the hash of",
        mend="delete it and run the recipe again to make it anew",
    )


def unreadable(digest: str, error: Exception) -> EngineError:
    """An object is there, and its content cannot be had."""
    return failure(
        "artifact-unreadable",
        f"object {digest[:12]} of the store cannot be read",
        note=getattr(error, "strerror", None) or type(error).__name__,
    )


def unopened(place: str, error: Exception) -> EngineError:
    """A URL is of a kind that cannot be opened here; the error's own text could hold the URL's password."""
    return failure(
        "store-unreachable",
        f"no store can be opened at {place}",
        note=str(error) if isinstance(error, ImportError) else type(error).__name__,
        mend="check `store.url`; s3://, gs:// and az:// work as they are, other kinds need their fsspec package",
    )
