"""`keys` manages the API keys of a service: shown once when they are made, and known by their hash alone after that."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

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

Whose: TypeAlias = tuple[str, str]
"""The recipe and the environment whose service keys open."""


def keys(composed: Composed, invocation: Invocation) -> int:
    """List, make, replace or end the API keys of a service.

    Raises:
        UsageError: The words say nothing that can be done, or name a key that there is not.
    """
    from mlops_compiler.store.writer import open_writer

    recipe = validate(composed)
    location = store_location(recipe.store)
    whose = recipe.name, recipe.environment
    action, *named = invocation.words or ("list",)
    if action == "list":
        return _list(open_reader(location).keys(*whose), whose, invocation)
    actions: dict[str, Callable[[StoreWriter, Whose, list[str], Invocation], int]] = {
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
    return actions[action](open_writer(location), whose, named, invocation)


def first_key(whose: Whose, location: StoreLocation) -> str | None:
    """Make a key that opens everything, where a service asks for one and nobody has any; it is to be shown at once.

    Returns:
        The key; None where somebody has one.
    """
    from mlops_compiler.serving.keys import ROLES, make_key
    from mlops_compiler.store.writer import open_writer

    store = open_writer(location)
    if any(key.name != PASSING and key.opens(time.time()) for key in store.keys(*whose)):
        return None
    shown, kept = make_key(whose, "first", ROLES)
    store.put_key(kept)
    _noted(store, kept, "key-create", {"roles": kept.roles})
    return shown


def _list(found: list[ApiKey], whose: Whose, invocation: Invocation) -> int:
    now = time.time()
    rows = [_facts(key, now) for key in found if key.name != PASSING]
    if invocation.as_json:
        invocation.print_json(rows)
    elif rows:
        shown = grid("left", "left", "left", "text", "left", "left")
        for facts in rows:
            row(shown, *(styled(_cell(value)) for value in facts.values()))
        results().print(shown)
    else:
        said = f"{whose[0]} has no API key in {whose[1]}; make one: {_making(whose)}"
        results().print(said, soft_wrap=True)
    return DONE


def _facts(key: ApiKey, now: float) -> dict[str, Any]:
    state = "revoked" if key.revoked is not None else "open"
    if key.revoked is None and key.expires is not None:
        state = "ended" if key.expires <= now else f"open until {_day(key.expires)}"
    where = key.environment or "each environment"
    about = {"key": key.id, "name": key.name, "environment": where, "roles": key.roles}
    return {**about, "made": _day(key.created), "state": state}


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _create(store: StoreWriter, whose: Whose, named: list[str], invocation: Invocation) -> int:
    from mlops_compiler.serving.keys import ROLES, make_key

    name = invocation.required("name", f"create recipe={whose[0]} name=crm roles=predict,label")
    roles = invocation.arguments.get("roles", "predict").split(",")
    if named or (unknown := [role for role in roles if role not in ROLES]):
        raise UsageError([_bad_roles(unknown, ROLES) if not named else _too_many(named)])
    if name == PASSING or any(key.name == name and key.opens(time.time()) for key in store.keys(*whose)):
        raise UsageError([_taken(name, whose)])
    seconds = _seconds(invocation, "expires")
    shown, kept = make_key(whose, name, roles, None if seconds is None else time.time() + seconds)
    return _made(store, shown, kept, invocation, "key-create")


def _rotate(store: StoreWriter, whose: Whose, named: list[str], invocation: Invocation) -> int:
    from mlops_compiler.serving.keys import make_key

    key = _find(store, whose, named)
    left = _seconds(invocation, "grace") or 0.0
    until = time.time() + left
    ends = until if key.expires is None else min(until, key.expires)
    store.put_key(replace(key, expires=ends) if left else replace(key, revoked=until))
    shown, kept = make_key(whose, key.name, key.roles, key.expires)
    return _made(store, shown, kept, invocation, "key-rotate", before=key.id)


def _revoke(store: StoreWriter, whose: Whose, named: list[str], invocation: Invocation) -> int:
    key = _find(store, whose, named)
    store.put_key(replace(key, revoked=time.time()))
    _noted(store, key, "key-revoke", {})
    if invocation.as_json:
        invocation.print_json({"key": key.id, "name": key.name, "state": "revoked"})
    else:
        results().print(f"key {key.id} of {key.name} opens nothing any more; running replicas know within 5 seconds")
    return DONE


def _made(
    store: StoreWriter, shown: str, kept: ApiKey, invocation: Invocation, action: str, before: str | None = None
) -> int:
    store.put_key(kept)
    _noted(store, kept, action, {"roles": kept.roles, "expires": kept.expires, "before": before})
    if invocation.as_json:
        invocation.print_json({**_facts(kept, time.time()), "secret": shown})
    else:
        console = results()
        console.print(f"key {kept.id} of {kept.name} opens {listing(kept.roles)}. It is shown this once:\n")
        console.print(f"    {shown}\n", soft_wrap=True, highlight=False)
        console.print("send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`")
    return DONE


def _noted(store: StoreWriter, key: ApiKey, action: str, more: dict[str, Any]) -> None:
    store.add_audit(
        actor=actor(),
        action=action,
        recipe=key.recipe,
        environment=key.environment,
        payload={"key": key.id, "name": key.name, **more},
    )


def _making(whose: Whose) -> str:
    return f"mlops-compile keys create recipe={whose[0]} environment={whose[1]} name=crm"


def _find(store: StoreWriter, whose: Whose, named: list[str]) -> ApiKey:
    open_keys = [key for key in store.keys(*whose) if key.opens(time.time()) and key.name != PASSING]
    wanted = named[0] if named else None
    found = [key for key in open_keys if wanted in (key.id, key.name)]
    if len(found) == 1:
        return found[0]
    known = [f"{key.id} ({key.name})" for key in open_keys]
    what = "no key is named" if wanted is None else f"{len(found) or 'no'} open keys are `{wanted}`"
    mend = f"name one of {listing(known)}" if known else f"make one: {_making(whose)}"
    raise UsageError([Diagnostic(code="unknown-key", headline=f"{what} of `{whose[0]}` in {whose[1]}", help=mend)])


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


def _taken(name: str, whose: Whose) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"`{whose[0]}` has an open key of {name} in {whose[1]} already",
        help=f"replace it: mlops-compile keys rotate {name} recipe={whose[0]} environment={whose[1]}; "
        "or give another name",
    )
