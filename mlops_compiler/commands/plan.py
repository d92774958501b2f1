"""`plan` says what a run would do, stage by stage; it reads no rows and starts nothing."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.analysis.lints.engine import allowed
from mlops_compiler.commands.base import CHANGES, DONE, write_file
from mlops_compiler.commands.doubts import stale
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.console.passes_view import print_passes
from mlops_compiler.console.plan_view import PlanRow, print_clients, print_plan
from mlops_compiler.console.streams import results, say
from mlops_compiler.diagnostics import Diagnostic, UsageError, listing, render_json
from mlops_compiler.driver import plan_recipe
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.ir.ops.lifecycle import Explain
from mlops_compiler.ir.ops.preparation import Matrix
from mlops_compiler.ir.ops.search import Candidate, Nested, Search
from mlops_compiler.ir.printer import print_dimension, print_value
from mlops_compiler.passes.manager import trace
from mlops_compiler.passes.work import work
from mlops_compiler.plan import cost as costs
from mlops_compiler.plan.contract import clients
from mlops_compiler.plan.evidence import evidence
from mlops_compiler.plan.file import PlanFile
from mlops_compiler.plan.holdout import reuse_of_holdout
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.driver import Planned
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.ir.space import Dimension
    from mlops_compiler.plan.cost import Cost, SearchCost
    from mlops_compiler.plan.stages import Plan, Stage
    from mlops_compiler.recipe.resources import Cluster


def plan(composed: Composed, invocation: Invocation) -> int:
    """Print each stage as reuse, rebuild or new, with the reason, the cost, and what clients would notice.

    Returns:
        0; with ``--detailed-exitcode``, 2 where anything would run, as other planners have it.
    """
    planned = plan_recipe(composed)
    if invocation.sweeps and "--out" in invocation.options:
        raise UsageError([_one_plan()])
    findings = warnings(planned)
    tell_beside(findings, invocation.style)
    _print(planned, findings, invocation)
    if (file := invocation.options.get("--out")) is not None:
        made = PlanFile.of(planned.plan, composed.config, composed.overrides, invocation.recipe_dirs)
        write_file(Path(file), made.to_text())
        say(f"\nto run exactly this: mlops-compile run plan={file}")
    return CHANGES if "--detailed-exitcode" in invocation.flags and planned.plan.to_run else DONE


def warnings(planned: Planned) -> tuple[Diagnostic, ...]:
    """What there is to say of a plan beside the plan: of its recipe, and of its history."""
    place = planned.compiled.composed.provenance.value_span(("validate", "seed"))
    reused = reuse_of_holdout(planned.plan, planned.store, place)
    cited = evidence(planned.plan, planned.compiled.program, planned.store)
    may = allowed(planned.compiled.recipe)
    against = [finding for finding in cited if finding.code not in may]
    told = [finding for finding in (reused, stale(planned)) if finding is not None]
    return (*planned.compiled.warnings, *told, *against)


def _print(planned: Planned, findings: tuple[Diagnostic, ...], invocation: Invocation) -> None:
    made, recipe = planned.plan, planned.compiled.recipe
    cost = costs.estimate(made, planned.store, planned.compiled.composed.root, _cores(recipe.cluster))
    served = clients(made.program, planned.store)
    if invocation.as_json:
        data = {
            "recipe": made.recipe,
            "stages": plan_data(made),
            "cost": costs.as_data(cost),
            "clients": None if served is None else asdict(served),
            "warnings": render_json(findings),
        }
        if "--passes" in invocation.flags:
            program = planned.compiled.program
            steps = [("none", work(program)), *((effect.name, effect.work) for effect in trace(program))]
            data["passes"] = [{"pass": name, **asdict(left)} for name, left in steps]
        invocation.print_json(data)
    else:
        total = f", about {numbers.seconds(cost.total)}" if made.to_run and cost.total is not None else ""
        print_plan(made.recipe, plan_rows(made, cost), results(), total)
        if served is not None and served.changes:
            print_clients(served, results())
        if "--passes" in invocation.flags:
            program = planned.compiled.program
            print_passes(program, work(program), trace(program), results())


def _cores(cluster: Cluster) -> int | None:
    """The cores of the engine, where that is known before it starts."""
    return (cluster.cpus or os.cpu_count()) if cluster.address == "embedded" else None


def plan_rows(made: Plan, cost: Cost | None = None) -> list[PlanRow]:
    """The rows of a plan for the console."""
    return [
        PlanRow(
            stage=action.stage.name,
            action=action.action,
            reason=action.reason,
            extra=_extra(action.stage, cost) if action.action != "reuse" else "",
        )
        for action in made.actions
    ]


def plan_data(made: Plan) -> list[dict[str, Any]]:
    """A plan as JSON."""
    return [
        {
            "stage": action.stage.name,
            "action": action.action,
            "reason": action.reason,
            "fingerprint": action.stage.fingerprint,
        }
        for action in made.actions
    ]


def _extra(stage: Stage, cost: Cost | None) -> str:
    """What a stage will do, where its name does not say it, and what it will take."""
    if stage.name == "prepare":
        return _prepare(stage)
    match stage.nodes[-1].op:
        case Search() as search:
            how = f"{search.algorithm}, {_scheduler(search)}"
            told = [f"{_limits(search)}, {how}", *map(_candidate, search.candidates)]
            told += _begins(search)
            told += [print_dimension(item, open_) for open_ in _open(search) for item in open_]
            return "\n".join([*told, *([_search_cost(cost.search)] if cost is not None and cost.search else [])])
        case Explain() as explained:
            return "; ".join([*_explained(explained), *_took(stage.name, cost)])
        case FeedBack() as back:
            return _comes_back(back)
        case Nested(k=k):
            spent = cost.nested if cost is not None else None
            took = f", at most {numbers.seconds(spent)}" if spent is not None else ""
            return f"{k} outer folds, each with a search of its own{took}"
        case _:
            return ""


def _comes_back(back: FeedBack) -> str:
    """Say what a plan feeds back."""
    when = "" if back.collected is None else f", collected {numbers.moment(back.collected)}"
    rows = f"{numbers.count(back.rows)} row{'' if back.rows == 1 else 's'} of wrong predictions"
    return f"feed back: {rows}{when}; at most {back.at_most:.0%} of what is learned from"


def _limits(search: Search) -> str:
    """Say what ends a search."""
    amounts = ((search.time, "s"), (search.cpu_hours, "CPU-hours"), (search.gpu_hours, "GPU-hours"))
    told = [f"{search.trials} trials", *(f"{amount:g} {unit}" for amount, unit in amounts if amount is not None)]
    gain = "" if search.min_improvement is None else f" of more than {search.min_improvement:g}"
    patience = "" if search.patience is None else f", or {search.patience} without a gain{gain}"
    return f"at most {' or '.join(told)}{patience}"


def _scheduler(search: Search) -> str:
    """Name the scheduler; of a population say how large it is."""
    if search.population is None:
        return search.scheduler
    size, steps = search.population
    return f"a population of {size}, {steps} step{'s' if steps != 1 else ''} a generation"


def _begins(search: Search) -> list[str]:
    """Say what a search begins with, where it was asked to begin with what was good before."""
    if search.warm_start is None:
        return []
    if not search.warm:
        return ["begins with nothing: no earlier search has a point that lies in its space"]
    counts = Counter(start.model for start in search.warm)
    named = listing(search.warm_from[:3]) + (", ..." if len(search.warm_from) > 3 else "")  # noqa: PLR2004 - a line
    return [f"begins with the best points ({', '.join(f'{model} {n}' for model, n in counts.items())}) of {named}"]


def _prepare(stage: Stage) -> str:
    """Say the steps, how many features they make, and what those promise."""
    features = next(node.op.features for node in stage.nodes if isinstance(node.op, Matrix))
    steps = stage.ingredients["prepare.order"]
    made = f"{', '.join(steps)} → {len(features)} features" if steps else f"{len(features)} features"
    checked = next((node.op for node in stage.nodes if isinstance(node.op, CheckFeatures)), None)
    if checked is None:
        return made
    told = [f"at most {checked.at_most}"] if checked.at_most is not None else []
    told += [f"contracts of {listing(item.key for item in checked.checks)}"] if checked.checks else []
    return f"{made}\nchecked on the training rows: {', '.join(told)}"


def _explained(op: Explain) -> Iterator[str]:
    """What is found out of the model, and on how many rows."""
    if op.importance != "none":
        yield f"{op.repeats} shuffles of each column in at most {op.sample:,} rows"
    if op.shap:
        yield "contributions to at most 200 rows"
    if op.partial_dependence:
        varied = op.partial_dependence
        yield f"dependence on {varied} columns" if isinstance(varied, int) else f"dependence on {', '.join(varied)}"
    if op.slices or op.find_slices:
        named = [f"by {', '.join(op.slices)}"] if op.slices else []
        yield " and ".join(["slices", *named, *(["searched for"] if op.find_slices else [])]).replace(
            "slices and", "slices"
        )


def _took(stage: str, cost: Cost | None) -> list[str]:
    seconds = None if cost is None else cost.seconds.get(stage)
    return [] if seconds is None else [f"{numbers.seconds(seconds)} last time"]


def _open(search: Search) -> list[tuple[Dimension, ...]]:
    """What is open of the preparation, if anything is: the same for each model that looks at it."""
    return [item.preparation for item in search.candidates if item.preparation][:1]


def _candidate(item: Candidate) -> str:
    space = ", ".join(f"{name} {print_value(domain)}" for name, domain in item.space.items())
    wishes = "".join(f", {name} {print_value(value)}" for name, value in item.wishes.items())
    return f"{item.name}: {item.kind}{wishes}" + (f" — {space}" if space else "")


def _search_cost(cost: SearchCost) -> str:
    basis = "as the last search took" if cost.measured else "a rough guess"
    where = f", {numbers.seconds(cost.seconds)} on {cost.cores} cores" if cost.seconds is not None else ""
    gpu = f", {numbers.seconds(cost.gpu_seconds)} of a GPU where there is one" if cost.gpu_seconds else ""
    return (
        f"at most {cost.trials} x {cost.folds} fits: {numbers.seconds(cost.cpu_seconds)} of a core{gpu}{where}; "
        f"{cost.memory:.1f} GiB a trial ({basis})"
    )


def _one_plan() -> Diagnostic:
    return Diagnostic(
        code="bad-flag",
        headline="--out writes one plan, and a sweep makes several",
        help="plan each job by itself",
    )
