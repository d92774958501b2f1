"""A chain over the audit log: each entry is hashed together with the hash of the one before it.

So it shows where an entry was changed, taken out, or put in from outside. It does not show that somebody wrote the
whole chain anew, or cut off its newest end with the links: for that, compare the last hash with a copy kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.tables import from_row, insertion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlops_compiler.store.database import Transaction
    from mlops_compiler.store.operations import AuditEntry

_FIRST = "0" * 64
_HASHED = ("id", "time", "actor", "action", "recipe", "release", "environment", "payload")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a chain shows of its log.

    Attributes:
        linked: How many entries have a link.
        older: How many came before the first link, of which the chain shows nothing.
        broken: What is wrong, a sentence each.
    """

    linked: int
    older: int
    broken: tuple[str, ...]


def extend(transaction: Transaction, row: Mapping[str, Any]) -> None:
    """Link an entry to the one before; in the transaction that writes it, while it alone gives numbers.

    Args:
        transaction: Has written the entry.
        row: The entry as it is kept, with its number.
    """
    last = transaction.rows("SELECT hash FROM audit_chain ORDER BY id DESC LIMIT 1", {})
    before = str(last[0]["hash"]) if last else _FIRST
    link = {"id": row["id"], "hash": _hash(before, from_row(row))}
    transaction.run(insertion("audit_chain", link), link)


def examine(entries: Iterable[AuditEntry], links: Mapping[int, str]) -> Examined:
    """Follow a chain from its first link.

    Args:
        entries: All of the log.
        links: The hash of each entry, by its number.
    """
    known = {entry.id: entry for entry in entries}
    first = min(links, default=None)
    older = sum(first is None or number < first for number in known)
    outside = (
        f"entry {number} was put in from outside"
        for number in sorted(known)
        if first is not None and number > first and number not in links
    )
    return Examined(linked=len(links), older=older, broken=(*_breaks(known, links), *outside))


def _breaks(known: Mapping[int, AuditEntry], links: Mapping[int, str]) -> Iterator[str]:
    before = _FIRST
    for number in sorted(links):
        if (entry := known.get(number)) is None:
            yield f"entry {number} was taken out"
        elif _hash(before, asdict(entry)) != links[number]:
            yield f"entry {number} does not follow the one before it: it was changed, or one before it taken out"
        before = links[number]


def _hash(before: str, values: Mapping[str, Any]) -> str:
    text = json.dumps([before, *(values[name] for name in _HASHED)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
