"""The complete trials of a search as a library of answers: scored as they would be served, and mixed to an ensemble."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.stages.eligible import broken
from mlops_compiler.backends.stages.ensemble import POOL, mixed, pick_members, same_rows
from mlops_compiler.backends.stages.out_of_fold import OutOfFold, cross_calibrated, out_of_fold, rescored
from mlops_compiler.models.calibration import fit_calibration
from mlops_compiler.models.composed import ENSEMBLE

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.search import Select
    from mlops_compiler.models.calibration import Method
    from mlops_compiler.store.reader import StoreReader

    Row = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Library:
    """What the trials of a search answered.

    Attributes:
        op: The selection.
        board: The leaderboard.
        store: Where the answers are recorded.
    """

    op: Select
    board: dict[str, Any]
    store: StoreReader
    _raw: dict[int, OutOfFold] = field(default_factory=dict)
    _served: dict[int, OutOfFold] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        """List the complete trials as they would be served, the best first."""
        complete = [row for row in self.board["trials"] if row["status"] == "complete"]
        if not self.op.calibrate:
            return complete
        rows = [self._rescored(row) if self._method(row) else row for row in complete]
        sign = -1 if self.board["greater_is_better"] else 1
        return sorted(rows, key=lambda row: (sign * row["mean"], row["trial"]))

    def answers(self, row: Row) -> OutOfFold:
        """Give what a trial, or an ensemble, answers to rows that it did not learn from, as it would be served."""
        if row["kind"] == ENSEMBLE:
            members = [item["row"] for item in row["members"]]
            counts = Counter({place: item["count"] for place, item in enumerate(row["members"])})
            return mixed([self.answers(member) for member in members], counts)
        trial = int(row["trial"])
        if trial not in self._served:
            raw, method = self._recorded(row), self._method(row)
            k = self.op.k or self.board["folds"]
            self._served[trial] = raw if method is None else cross_calibrated(raw, method, k, ordered=self.op.ordered)
        return self._served[trial]

    def calibration(self, row: Row) -> dict[str, Any] | None:
        """Learn how to calibrate a trial's model from all that it answered."""
        if (method := self._method(row)) is None:
            return None
        labels, answers, weights = self._recorded(row).joined()
        return fit_calibration(method, labels.astype("int64"), answers, weights)

    def ensemble(self, rows: list[Row]) -> Row | None:
        """Make an ensemble of trials, the best first; None where one member is best, or it breaks a constraint.

        Members share one preparation: that of the best trial.
        """
        if self.op.ensemble is None or self.op.explanation:
            return None
        pool = [row for row in rows if not row["baseline"]]
        pool = [row for row in pool if row.get("point") == pool[0].get("point")][:POOL]
        library = [self.answers(row) for row in pool]
        if len(pool) < 2 or not same_rows(library):  # noqa: PLR2004 - a mean needs two
            return None
        picked = pick_members(self.op.task, self.board["metric"], library, self.op.ensemble)
        if len(picked) == 1:
            return None
        members = [{"row": pool[place], "count": count} for place, count in picked.most_common()]
        made = {
            **pool[0],
            "trial": None,
            "model": ENSEMBLE,
            "kind": ENSEMBLE,
            "parameters": {},
            "training": None,
            "gap": None,
            "members": members,
        }
        scored = rescored(self.op.task, self.board["metric"], made, self.answers(made))
        return None if broken(self.op, scored) else scored

    def _rescored(self, row: Row) -> Row:
        made = rescored(self.op.task, self.board["metric"], row, self.answers(row))
        return {**made, "calibrated": self._method(row), "uncalibrated": row["mean"]}

    def _recorded(self, row: Row) -> OutOfFold:
        trial = int(row["trial"])
        if trial not in self._raw:
            self._raw[trial] = out_of_fold(self.op.task, row, self.store)
        return self._raw[trial]

    def _method(self, row: Row) -> Method | None:
        found: Any = dict(self.op.calibrate).get(row["model"])
        return found  # type: ignore[no-any-return]
