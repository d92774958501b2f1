"""What is done back where what follows fails, for whatever reason: an error, Ctrl-C, the end of a generator."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def on_failure(undo: Callable[..., object], *args: Any) -> Iterator[None]:
    """Call something where the block ends otherwise than well, and let the failure go on.

    Args:
        undo: What is called.
        args: What it is given.
    """
    with ExitStack() as stack:
        stack.callback(undo, *args)
        yield
        stack.pop_all()
