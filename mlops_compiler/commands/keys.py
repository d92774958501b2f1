"""`keys` manages the API keys of a service: shown once when they are made, and known by their hash alone after that."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.streams import results
from mlops_compiler.console.text import grid, row, styled
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError, did_you_mean, listing
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.recipe.amounts import parse_duration
from mlops_compiler.store.operations import PASSING, actor
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.operations import ApiKey
    from mlops_compiler.store.writer import StoreWriter


def keys(composed: Composed, invocation: Invocation) -> int:
    """List, make, replace or end the API keys of a service.

    Raises:
        UsageError: The words say nothing that can be done, or name a key that there is not.
    """
    from mlops_compiler.store.writer import open_writer

    recipe = validate(composed)
    location = store_location(recipe.store)
    action, *named = invocation.words or ("list",)
    if action == "list":
        return _list(open_reader(location).keys(recipe.name), recipe.name, invocation)
    actions: dict[str, Callable[[StoreWriter, str, list[str], Invocation], int]] = {
        "create": _create,
        "rotate": _rotate,
        "revoke": _revoke,
    }
    if action not in actions:
        known = ["list", *actions]
        raise UsageError(
            [
                Diagnostic(
                    code="bad-argument",
                    headline=f"`keys` does not know `{action}`",
                    help=did_you_mean(action, known, otherwise="it knows"),
                )
            ]
        )
    return actions[action](open_writer(location), recipe.name, named, invocation)


def first_key(recipe: str, location: StoreLocation) -> str | None:
    """Make a key that opens everything, where a service asks for one and nobody has any; it is to be shown at once.

    Returns:
        The key; None where somebody has one.
    """
    from mlops_compiler.serving.keys import ROLES, make_key
    from mlops_compiler.store.writer import open_writer

    store = open_writer(location)
    if any(key.name != PASSING and key.opens(time.time()) for key in store.keys(recipe)):
        return None
    shown, kept = make_key(recipe, "first", ROLES)
    store.put_key(kept)
    payload = {"key": kept.id, "name": kept.name, "roles": kept.roles}
    store.add_audit(actor=actor(), action="key-create", recipe=recipe, payload=payload)
    return shown


def _list(found: list[ApiKey], recipe: str, invocation: Invocation) -> int:
    now = time.time()
    rows = [_facts(key, now) for key in found if key.name != PASSING]
    if invocation.as_json:
        invocation.print_json(rows)
    elif rows:
        shown = grid("left", "left", "text", "left", "left")
        for facts in rows:
            row(shown, *(styled(_cell(value)) for value in facts.values()))
        results().print(shown)
    else:
        results().print(f"{recipe} has no API key; make one: mlops-compile keys create recipe={recipe} name=crm")
    return DONE


def _facts(key: ApiKey, now: float) -> dict[str, Any]:
    state = "revoked" if key.revoked is not None else "open"
    if key.revoked is None and key.expires is not None:
        state = "ended" if key.expires <= now else f"open until {_day(key.expires)}"
    return {"key": key.id, "name": key.name, "roles": key.roles, "made": _day(key.created), "state": state}


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _create(store: StoreWriter, recipe: str, named: list[str], invocation: Invocation) -> int:
    from mlops_compiler.serving.keys import ROLES, make_key

    name = invocation.required("name", f"create recipe={recipe} name=crm roles=predict,label")
    roles = invocation.arguments.get("roles", "predict").split(",")
    if named or (unknown := [role for role in roles if role not in ROLES]):
        raise UsageError([_bad_roles(unknown, ROLES) if not named else _too_many(named)])
    if name == PASSING or any(key.name == name and key.opens(time.time()) for key in store.keys(recipe)):
        raise UsageError([_taken(name, recipe)])
    seconds = _seconds(invocation, "expires")
    shown, kept = make_key(recipe, name, roles, None if seconds is None else time.time() + seconds)
    return _made(store, shown, kept, invocation, "key-create")


def _rotate(store: StoreWriter, recipe: str, named: list[str], invocation: Invocation) -> int:
    from mlops_compiler.serving.keys import make_key

    key = _find(store, recipe, named)
    left = _seconds(invocation, "grace") or 0.0
    until = time.time() + left
    ends = until if key.expires is None else min(until, key.expires)
    store.put_key(replace(key, expires=ends) if left else replace(key, revoked=until))
    shown, kept = make_key(recipe, key.name, key.roles, key.expires)
    return _made(store, shown, kept, invocation, "key-rotate", before=key.id)


def _revoke(store: StoreWriter, recipe: str, named: list[str], invocation: Invocation) -> int:
    key = _find(store, recipe, named)
    store.put_key(replace(key, revoked=time.time()))
    store.add_audit(actor=actor(), action="key-revoke", recipe=recipe, payload={"key": key.id, "name": key.name})
    if invocation.as_json:
        invocation.print_json({"key": key.id, "name": key.name, "state": "revoked"})
    else:
        results().print(f"key {key.id} of {key.name} opens nothing any more; running replicas know within 5 seconds")
    return DONE


def _made(
    store: StoreWriter, shown: str, kept: ApiKey, invocation: Invocation, action: str, before: str | None = None
) -> int:
    store.put_key(kept)
    payload = {"key": kept.id, "name": kept.name, "roles": kept.roles, "expires": kept.expires, "before": before}
    store.add_audit(actor=actor(), action=action, recipe=kept.recipe, payload=payload)
    if invocation.as_json:
        invocation.print_json({**_facts(kept, time.time()), "secret": shown})
    else:
        console = results()
        console.print(f"key {kept.id} of {kept.name} opens {listing(kept.roles)}. It is shown this once:\n")
        console.print(f"    {shown}\n", soft_wrap=True, highlight=False)
        console.print("send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`")
    return DONE


def _find(store: StoreWriter, recipe: str, named: list[str]) -> ApiKey:
    open_keys = [key for key in store.keys(recipe) if key.opens(time.time()) and key.name != PASSING]
    wanted = named[0] if named else None
    found = [key for key in open_keys if wanted in (key.id, key.name)]
    if len(found) == 1:
        return found[0]
    known = [f"{key.id} ({key.name})" for key in open_keys]
    what = "no key is named" if wanted is None else f"{len(found) or 'no'} open keys are `{wanted}`"
    mend = f"name one of {listing(known)}" if known else f"make one: mlops-compile keys create recipe={recipe} name=crm"
    raise UsageError([Diagnostic(code="unknown-key", headline=f"{what} of `{recipe}`", help=mend)])


def _seconds(invocation: Invocation, name: str) -> float | None:
    text = invocation.arguments.get(name)
    if text is None:
        return None
    try:
        found = parse_duration(text)
    except ValueError as error:
        finding = Diagnostic(code="bad-argument", headline=str(error), span=Span.of_token(f"{name}={text}"))
        raise UsageError([finding]) from None
    return float(str(found))


def _bad_roles(unknown: list[str], known: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"a key opens {listing(known)}; not {listing(unknown)}",
        help="give several by commas: roles=predict,label",
    )


def _too_many(named: list[str]) -> Diagnostic:
    return Diagnostic(code="bad-argument", headline=f"`keys create` takes `name=...`, and no word `{named[0]}`")


def _taken(name: str, recipe: str) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"`{recipe}` has an open key of {name} already",
        help=f"replace it: mlops-compile keys rotate {name} recipe={recipe}; or give another name",
    )
