"""Sending: through apprise (https://github.com/caronc/apprise), each target for itself, and never for long.

A server that hangs holds nobody: messages leave in threads that end with the process, and are waited for a fixed time.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import warnings
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.notify.addresses import Address
    from mlops_compiler.notify.news import News

PATIENCE = 10.0
"""Seconds that all targets together may take."""


def send(news: News, addresses: Sequence[Address], patience: float | None = None) -> dict[str, str]:
    """Send a message to each address.

    Args:
        news: What to tell.
        addresses: Whom.
        patience: Seconds to wait for all of them; `PATIENCE` where it is not given.

    Returns:
        For each address as it is shown: nothing where it took the message, else why it did not.
    """
    patience = PATIENCE if patience is None else patience
    outcome = {address.shown: address.lack or f"did not answer within {patience:g} seconds" for address in addresses}
    answers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    if any(address.url for address in addresses):
        _load()
    waiting = [address for address in addresses if address.url is not None]
    for address in waiting:
        threading.Thread(target=_post, args=(address, news, answers), daemon=True).start()
    end = time.monotonic() + patience
    for _ in waiting:
        try:
            shown, reason = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        outcome[shown] = reason
    return outcome


@cache
def _load() -> None:
    """Load all services of apprise, before there are threads: one of its modules asks for a deprecated one."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its warnings would name the address
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://localhost")


def _post(address: Address, news: News, answers: queue.SimpleQueue[tuple[str, str]]) -> None:
    """Send one message; whatever goes wrong is told without the address, which may be a secret."""
    try:
        reason = _refusal(str(address.url), news)
    except Exception as error:  # noqa: BLE001 - some hundred services by as many authors: none may end a run
        reason = f"failed: {type(error).__name__}"
    answers.put((address.shown, reason))


def _refusal(url: str, news: News) -> str:
    import apprise

    service = apprise.Apprise()
    if not service.add(url):
        return "is no address that apprise knows"
    kind = apprise.NotifyType.SUCCESS
    if news.fails or news.kinds & {"rollback", "missed"}:
        kind = apprise.NotifyType.FAILURE
    taken = service.notify(
        title=news.title,
        body=news.text,
        notify_type=kind,
        body_format=apprise.NotifyFormat.TEXT,
        interpret_escapes=False,
    )
    return "" if taken else "did not take the message"
