"""What the tour is made with: the churn recipe taken to production, and the telco customers in parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from tests.tour.place import Place

SHIPPED = Path(__file__).parents[2] / "recipes"
SECRET = "TOUR_HOOK"  # noqa: S105 - the name of a variable
RISE = 1.25
"""How much dearer the shifted price list is."""
FIRST, QUIET, SHIFTED, NEW = 1_500, 500, 500, 1_000
OPERATIONS = """
# What the tour adds to recipes/churn.yaml: how the release is operated.
environment: production

verify: {replay: holdout, rows: 200}

promotion: {approvals: 1, four_eyes: true}

monitor:
  every: 1h
  window: 500
  performance: {roc_auc: {at_least: 0.7}}
  alert: {agree: 1, of: [drift, performance]}

feedback:
  at_most: 10%
  retrain: {cron: "0 3 * * 0", when: [drift, performance], must_beat: current}

notify:
  - {when: [failure, release, alert, recovery, rollback], to: {secret: TOUR_HOOK}}
"""
DEPLOY = """\
  port: %d
  auth: api_key
  rollout:
    kind: canary
    steps: [20%%, 50%%, 100%%]
    hold: 3s
    min_requests: 20
    roll_back_if: {error_rate: "> 1%%", latency_p99: 5s}
    roll_back_to: previous
"""
SMALLER = (
    ("  forest: {kind: random_forest}\n  boosting: {kind: hist_gradient_boosting}\n", ""),
    ("    roc_auc: {at_least: 0.83}\n    log_loss: {at_most: 0.45}\n", "    roc_auc: {at_least: 0.75}\n"),
    ("trials: 30}", "trials: 6}"),
)
"""Where the tour differs from the recipe: one kind of model, fewer trials, a mark that fewer customers can meet."""


@dataclass(frozen=True, kw_only=True)
class Customers:
    """The telco customers, in parts that nobody has in common.

    The first of them are those of a company that does not sell fibre yet.

    Attributes:
        first: What the first model is made of.
        quiet: Such customers again, who are asked about.
        shifted: Such customers again, with a price list that is dearer by a quarter: the one thing that is made up.
        new: Customers of all kinds, most of whom have fibre.
        later: All others; the source has them in the end.
    """

    first: pl.DataFrame
    quiet: pl.DataFrame
    shifted: pl.DataFrame
    new: pl.DataFrame
    later: pl.DataFrame

    @classmethod
    def read(cls) -> Customers:
        """Deal the customers of the shipped table, always in the same way."""
        path = SHIPPED / "data" / "telco_churn.csv"
        rows = pl.read_csv(path, infer_schema_length=10_000).sample(fraction=1.0, shuffle=True, seed=11)
        before = rows.filter(pl.col("internet_service") != "Fiber optic")
        first, quiet, shifted = (
            before.slice(0, FIRST), before.slice(FIRST, QUIET), before.slice(FIRST + QUIET, SHIFTED)
        )  # fmt: skip
        rest = rows.join(before.head(FIRST + QUIET + SHIFTED), on="customer_id", how="anti", maintain_order="left")
        dearer = [(pl.col(name) * RISE).round(2) for name in ("monthly_charges", "total_charges")]
        return cls(
            first=first,
            quiet=quiet,
            shifted=shifted.with_columns(dearer),
            new=rest.head(NEW),
            later=rest.slice(NEW),
        )

    @property
    def grown(self) -> pl.DataFrame:
        """What the source has once fibre is sold: the first customers, and the later ones."""
        return pl.concat([self.first, self.later])


def lay_out(place: Place, customers: Customers) -> None:
    """Write the recipe and the table of the first customers."""
    text = (SHIPPED / "churn.yaml").read_text()
    models, net = text.index("  net:"), text.index("\n", text.index("  net:")) + 1
    text = text[:models] + text[net:]
    for found, instead in SMALLER:
        assert found in text, found
        text = text.replace(found, instead)
    (place.root / "recipes" / "data").mkdir(parents=True)
    (place.root / "recipes" / "churn.yaml").write_text(text + DEPLOY % place.port + OPERATIONS)
    write_source(place, customers.first)


def write_source(place: Place, customers: pl.DataFrame) -> None:
    """Write the table that the recipe reads."""
    customers.write_csv(place.root / "recipes" / "data" / "telco_churn.csv")
