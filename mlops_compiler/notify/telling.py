"""Telling: the same failure is told once, until it is another one or over; what was told is in the store's events."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, Note, Severity
from mlops_compiler.notify.send import send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.notify.addresses import Address, Subscriber
    from mlops_compiler.notify.news import News
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Event
    from mlops_compiler.store.writer import StoreWriter

EVENT = "notice"
"""The kind of the events that say what was told."""
_LONGEST = 64


def stream(recipe: str) -> str:
    """Name the stream of events that notices of a recipe are recorded in."""
    name = f"notices/{recipe}"
    return name if len(name) <= _LONGEST else f"notices/{hashlib.sha256(recipe.encode()).hexdigest()[:40]}"


def notices(store: StoreReader, recipe: str) -> list[Event]:
    """List what was told of a recipe, the oldest first."""
    return [event for event in store.events(stream(recipe)) if event.kind == EVENT]


def tell_of(
    news: News,
    subscribers: Sequence[Subscriber],
    store: StoreWriter,
    environ: Mapping[str, str],
    span: Span | None = None,
) -> tuple[Diagnostic, ...]:
    """Tell whoever asked for it, and record it.

    A failure that is the one told last is not told again; the first success after one is a recovery.

    Args:
        news: What became of a command.
        subscribers: Who is told what.
        store: Keeps what was told.
        environ: Holds the secrets.
        span: Where the recipe says whom to tell.

    Returns:
        A warning for each target that could not be told: nobody's run fails by that.
    """
    last = _last(store, news)
    fails = news.fails
    if fails and last.get("failed") and last["key"] == news.key and last["told"]:
        return ()
    if not fails and last.get("failed"):
        news = replace(news, kinds=news.kinds | {"recovery"}, headline=f"recovered: {news.headline}")
    chosen: dict[str, Address] = {
        address.shown: address for item in subscribers if item.kinds & news.kinds for address in item.addresses(environ)
    }
    outcome = send(news, list(chosen.values()))
    if chosen or fails or last.get("failed"):
        store.add_event(stream(news.recipe), EVENT, _record(news, outcome, fails=fails))
    return tuple(_untold(shown, reason, span) for shown, reason in outcome.items() if reason)


def _last(store: StoreReader, news: News) -> dict[str, Any]:
    told = (event.payload for event in notices(store, news.recipe))
    found = [item for item in told if item["about"] == news.about and _is_of(item, news.environment)]
    return found[-1] if found else {}


def _is_of(told: Mapping[str, Any], environment: str) -> bool:
    """Say whether something was told of an environment; what an older version told counts in each."""
    return bool(told.get("environment", environment) == environment)


def _record(news: News, outcome: Mapping[str, str], *, fails: bool) -> dict[str, Any]:
    """Write down what was told, without an address; a failure that nobody asked for counts as told."""
    return {
        "about": news.about,
        "environment": news.environment,
        "kinds": sorted(news.kinds),
        "headline": news.title,
        "run": news.run,
        "key": news.key,
        "failed": fails,
        "told": not outcome or not all(outcome.values()),
        "targets": dict(outcome),
    }


def _untold(shown: str, reason: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="notify-failed",
        headline=f"{shown} could not be told",
        span=span,
        notes=(Note(text=f"it {reason}"),) if reason else (),
        help="see whether the address is right and its server answers; the run itself is as recorded",
        severity=Severity.WARNING,
    )
