"""Customers of the telco table, asked about at the service as its clients would."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

OK, ACCEPTED = http.client.OK, http.client.ACCEPTED
_AT_ONCE = 50
_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Client:
    """Someone with an API key.

    Attributes:
        port: Where the service listens, on this machine.
        key: What it shows; none, where it has no key.
    """

    port: int
    key: str | None = None

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Send a body as JSON; gives the status and what was answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        try:
            connection.request("POST", path, json.dumps(body), {"X-API-Key": self.key} if self.key else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def ask_about(self, customers: pl.DataFrame) -> list[dict[str, Any]]:
        """Ask about customers, some at a time; gives an answer for each, with its id."""
        answers = []
        rows = customers.drop("churn").to_dicts()
        for start in range(0, len(rows), _AT_ONCE):
            status, answer = self.post("/churn", rows[start : start + _AT_ONCE])
            assert status == OK, answer
            answers += answer["predictions"]
        return answers

    def tell(self, answers: Sequence[dict[str, Any]], outcomes: Sequence[str]) -> int:
        """Tell what came of predictions; gives how many labels were taken."""
        labels = [{"id": answer["id"], "outcome": came} for answer, came in zip(answers, outcomes, strict=True)]
        taken = 0
        for start in range(0, len(labels), _AT_ONCE):
            status, answer = self.post("/churn/labels", labels[start : start + _AT_ONCE])
            assert status == ACCEPTED, answer
            taken += answer["taken"]
        return taken


@dataclass(kw_only=True)
class Load:
    """Asks about one customer after the other, without a pause, until it is told to stop.

    Attributes:
        client: Who asks.
        customers: About whom.
        answers: How many answers of each status and release there were.
    """

    client: Client
    customers: pl.DataFrame
    answers: Counter[tuple[int, int | None]] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask_on(self) -> None:
        rows = self.customers.drop("churn").to_dicts()
        place = 0
        while not self._over.is_set():
            try:
                status, answer = self.client.post("/churn", rows[place % len(rows)])
            except (OSError, http.client.HTTPException, ValueError):
                status, answer = 0, {}
            self.answers[status, answer.get("release")] += 1
            place += 1
