"""Addresses: secrets become URLs here and nowhere else; whatever is shown of one is no secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAIL = ("mailto", "mailtos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a message goes.

    Attributes:
        shown: What may be written of it, to logs and to people.
        url: An address that apprise knows; None where it cannot be had. Never shown.
        lack: Why it cannot be had.
    """

    shown: str
    url: str | None = field(default=None, repr=False)
    lack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Who is told what.

    Attributes:
        kinds: What is told, of `news.KINDS`.
        to: The targets: each the name of a secret, or a URL.
        owner: The owner's contact, where the owner is told as well.
    """

    kinds: frozenset[str]
    to: tuple[tuple[str, str], ...]
    owner: str | None = None

    def addresses(self, environ: Mapping[str, str]) -> list[Address]:
        """Find the addresses of all targets.

        Args:
            environ: Holds the secrets.
        """
        found = [_secret(value, environ) if kind == "secret" else _literal(value) for kind, value in self.to]
        return found if self.owner is None else [*found, _owner(self.owner, found)]


def _secret(name: str, environ: Mapping[str, str]) -> Address:
    shown = f"the secret `{name}`"
    if url := environ.get(name, "").strip():
        return Address(shown=shown, url=url)
    return Address(shown=shown, lack="is not in the environment")


def _literal(url: str) -> Address:
    return Address(shown=_place(url), url=url)


def _place(url: str) -> str:
    """Show of a URL its scheme and its host: user, password and path may be keys."""
    parts = urlsplit(url)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}" if parts.scheme else "the target"


def _owner(contact: str, targets: list[Address]) -> Address:
    """Find the owner: by mail where the contact is a mail address, through the server that a target names."""
    mail = contact.removeprefix("mailto:")
    if "://" in contact or "@" not in mail:
        return Address(shown=f"the owner at {_place(contact)}", url=contact)
    servers = [target.url for target in targets if target.url and urlsplit(target.url).scheme in _MAIL]
    if not servers:
        lack = "can be told by mail only, and no target of the notice is a mail server (mailtos://user:password@host)"
        return Address(shown=f"the owner, {mail},", lack=lack)
    parts = urlsplit(servers[0])
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "to"]
    url = urlunsplit((parts.scheme, parts.netloc, "", urlencode([*query, ("to", mail)]), ""))
    return Address(shown=f"the owner, {mail},", url=url)
