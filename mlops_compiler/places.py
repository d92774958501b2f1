"""Object stores by URL: fsspec's file systems, those of the large clouds by obstore, which needs no other package."""

from __future__ import annotations

from functools import cache
from typing import Any

CLOUDS = ("s3", "gs", "az", "abfs")


def open_place(url: str) -> tuple[Any, str]:
    """Open the file system of a URL.

    Keys, regions and endpoints are read from the environment (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, ...).

    Returns:
        The file system, and the path in it.

    Raises:
        ImportError: A package is needed for this kind of URL.
        ValueError: Nobody knows this kind of URL.
        OSError: It cannot be opened.
    """
    from fsspec.core import url_to_fs

    if url.partition("://")[0] in CLOUDS:
        _register()
    files, path = url_to_fs(url)
    return files, path


@cache
def _register() -> None:
    """Let fsspec find obstore, but for kinds that a package of the user's own serves."""
    from importlib.util import find_spec

    from obstore.fsspec import register

    own = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
    if free := [scheme for scheme in CLOUDS if find_spec(own[scheme]) is None]:
        register(free)


def place_errors() -> tuple[type[Exception], ...]:
    """Name what reading and writing may raise there."""
    from obstore.exceptions import BaseError

    return (OSError, BaseError)
