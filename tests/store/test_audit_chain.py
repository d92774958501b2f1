"""The audit log shows what was changed, taken out or put in after it was written."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mlops_compiler.store.audit_chain import Examined, examine
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.store.writer import StoreWriter

INSERTED = (
    "INSERT INTO audit (id, time, actor, action, recipe, payload) VALUES (9, 1.0, 'eve', 'approve', 'churn', '{}')"
)
FOLLOWS = "does not follow the one before it: it was changed, or one before it taken out"


@pytest.fixture
def store(tmp_path: Path) -> StoreWriter:
    made = open_writer(StoreLocation(url=str(tmp_path / "store")))
    for number in range(1, 5):
        payload = {"share": 0.1 * number, "steps": {10: "ten", 9: "nine"}, "said": "größer"}
        made.add_audit(actor="ann", action="deploy", recipe=f"r{number % 2}", release=number, payload=payload)
    return made


def examined(store: StoreWriter, *statements: str) -> Examined:
    with sqlite3.connect(str(store.location.sqlite)) as connection:
        for statement in statements:
            connection.execute(statement)
    return examine(store.audit(), store.audit_links())


def test_a_log_that_nobody_touched_is_whole(store: StoreWriter) -> None:
    assert examined(store) == Examined(linked=4, older=0, broken=())


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE id = 2", (f"entry 2 {FOLLOWS}",)),
        ("UPDATE audit SET time = time + 0.001 WHERE id = 4", (f"entry 4 {FOLLOWS}",)),
        ("UPDATE audit SET payload = '{}' WHERE id = 1", (f"entry 1 {FOLLOWS}",)),
        ("DELETE FROM audit WHERE id = 4", ("entry 4 was taken out",)),
        (INSERTED, ("entry 9 was put in from outside",)),
    ],
)
def test_each_change_is_found(store: StoreWriter, statement: str, broken: tuple[str, ...]) -> None:
    assert examined(store, statement).broken == broken


def test_an_entry_that_is_taken_out_with_its_link_is_missed_by_the_next(store: StoreWriter) -> None:
    found = examined(store, "DELETE FROM audit WHERE id = 2", "DELETE FROM audit_chain WHERE id = 2")
    assert found.broken == (f"entry 3 {FOLLOWS}",)


def test_entries_of_before_the_chain_are_counted(store: StoreWriter) -> None:
    assert examined(store, "DROP TABLE audit_chain") == Examined(linked=0, older=4, broken=())
    store._writes.create()
    store.add_audit(actor="ann", action="retire", recipe="r1", release=1)
    assert examined(store) == Examined(linked=1, older=4, broken=())


def test_writers_at_once_make_one_chain(store: StoreWriter) -> None:
    def write(number: int) -> None:
        store.add_audit(actor=f"a{number}", action="approve", recipe="r", release=number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert examined(store) == Examined(linked=44, older=0, broken=())
