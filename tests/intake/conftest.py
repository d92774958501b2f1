"""A recipe whose orders come piece by piece."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mlops_compiler import cli

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = """\
name: orders
objective: {{task: binary_classification, target: paid, positive: "yes", metric: roc_auc}}
data:
  source: {source}
  intake: {intake}
  key: id
  ignore: [changed]
  columns:
    id: {{type: int}}
    changed: {{type: datetime}}
    amount: {{type: float, range: [0, 1000]}}
    paid: {{type: category, one_of: ["yes", "no"]}}
models: {{baseline: {{kind: prior}}, linear: {{kind: logistic_regression, C: 1}}}}
"""
FILES = ("{kind: csv, path: in/*.csv}", "{by: new_files}")
TABLE = ("{kind: sql, url: 'sqlite:///shop.db', table: orders}", "{by: watermark, column: changed, late: 2h}")


@dataclass(frozen=True)
class Shop:
    """A working directory with the recipe."""

    root: Path
    capsys: object

    def write(self, source, intake):
        (self.root / "recipes" / "orders.yaml").write_text(RECIPE.format(source=source, intake=intake))

    def deliver(self, name, *orders):
        """Lay a file of orders into the inbox; an order is its id, the hour of its change, its amount."""
        lines = [f"{key},2026-03-01 {hour:02}:00:00,{amount},{_paid(key)}" for key, hour, amount in orders]
        text = "\n".join(["id,changed,amount,paid", *lines, ""])
        (self.root / "recipes" / "in" / name).write_text(text)

    def insert(self, *orders):
        """Write orders into the database, in place of those of the same id."""
        with closing(sqlite3.connect(self.root / "recipes" / "shop.db")) as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, changed DATETIME, amount REAL, paid TEXT)"
            )
            rows = [(key, f"2026-03-01 {hour:02}:00:00", amount, _paid(key)) for key, hour, amount in orders]
            connection.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", rows)

    def run(self, *words):
        """Run a command line; gives its exit code, what it said as data, and what it said beside."""
        self.capsys.readouterr()
        code = cli.main([*words[:1], "recipe=orders", *words[1:], "--json"])
        said = self.capsys.readouterr()
        return code, json.loads(said.out) if said.out else None

    def take(self, *words):
        """Take in; gives what it said, which must be good."""
        code, said = self.run("intake", *words)
        assert code == 0, said
        return said

    @property
    def versions(self):
        return [item["rows"] for item in self.run("data")[1]]


def _paid(key):
    return "yes" if key % 2 else "no"


@pytest.fixture
def shop(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes" / "in").mkdir(parents=True)
    return Shop(root=tmp_path, capsys=capsys)


@pytest.fixture
def files(shop):
    shop.write(*FILES)
    shop.deliver("a.csv", (1, 8, 10), (2, 9, 20))
    return shop


@pytest.fixture
def table(shop):
    shop.write(*TABLE)
    shop.insert((1, 8, 10), (2, 9, 20))
    return shop
