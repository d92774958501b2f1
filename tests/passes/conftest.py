"""Programs to optimise: small ones made of steps, and the churn recipe's with its first rows."""

from __future__ import annotations

import polars as pl
import pytest

from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops import intake, preparation
from mlops_compiler.ir.ops import lifecycle as ops
from mlops_compiler.ir.printer import print_program
from mlops_compiler.ir.program import Node, Program
from mlops_compiler.ir.schema import Column, Known, Role, Schema
from mlops_compiler.tables.contract import take_in
from mlops_compiler.tables.infer import infer
from mlops_compiler.tables.sources import load

ROWS = 500
COLUMNS = {
    "id": (pl.String(), Role.KEY),
    "a": (pl.Int64(), Role.FEATURE),
    "b": (pl.Float64(), Role.FEATURE),
    "t": (pl.String(), Role.FEATURE),
    "u": (pl.String(), Role.FEATURE),
    "y": (pl.String(), Role.TARGET),
}


def _schema() -> Schema:
    known = {Role.TARGET: Known.AFTER_OUTCOME}
    return Schema(
        tuple(
            Column(
                name=name,
                dtype=dtype,
                role=role,
                known=known.get(role, Known.BEFORE_PREDICTION),
                origins=(name,),
            )
            for name, (dtype, role) in COLUMNS.items()
        )
    )


@pytest.fixture(scope="session")
def program_of():
    """Give a function that makes the program of steps; the matrix takes the features named, else all numbers."""

    def make(*steps, features=None) -> Program:
        schema, nodes = _schema(), []
        last = ("snapshot", "split")
        split = ops.Split(
            task="binary_classification",
            target="y",
            positive="yes",
            holdout="random",
            fraction=0.2,
            folds="random",
            k=2,
            seed=1,
        )
        head = (
            Node(name="source", op=intake.Read(kind="csv", path="rows.csv")),
            Node(name="snapshot", op=intake.Snapshot(), inputs=("source",), schema=schema),
            Node(name="split", op=split, inputs=("snapshot",)),
        )
        for index, step in enumerate(steps):
            schema = infer(step, schema)
            nodes.append(Node(name=f"prepare.s{index}", op=preparation.Prepare(step=step), inputs=last, schema=schema))
            last = (nodes[-1].name,)
        chosen = features or [column.name for column in schema.features if column.is_model_ready]
        matrix = schema.select(chosen)
        end = Node(name="matrix", op=preparation.Matrix(features=matrix.names), inputs=last, schema=matrix)
        return Program(name="small", nodes=(*head, *nodes, end))

    return make


@pytest.fixture(scope="session")
def prepare_lines():
    """Give a function that prints the nodes between the split and the matrix, without their schemas."""

    def lines(program: Program) -> list[str]:
        text = print_program(program).partition("\nsplit:")[2]
        kept = [line for line in text.splitlines()[2:] if line and not line.startswith(("    =>", "       "))]
        return kept[: kept.index(next(line for line in kept if line.startswith("matrix")))]

    return lines


@pytest.fixture(scope="session")
def churn():
    """Compile the churn recipe."""
    (found,) = launch(["recipe=churn"], compile_recipe)
    return found


@pytest.fixture(scope="session")
def churn_rows(churn):
    """Give the first rows of its data, typed and checked."""
    (_, read), (_, check) = churn.program.of(intake.Read)[0], churn.program.the(intake.Check)
    typed, _ = take_in(check, load(read, churn.composed.root / read.path).head(ROWS))
    return typed
