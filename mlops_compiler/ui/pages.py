"""What each address shows: reads the store, and hands a template what it found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray.serve_interrupt import rollout_of
from mlops_compiler.report import charts as report_charts
from mlops_compiler.report import holdout, search_charts
from mlops_compiler.report.leaderboard import STRIP, trial_rows
from mlops_compiler.store.records import service_name
from mlops_compiler.ui import charts
from mlops_compiler.ui.board import board_of
from mlops_compiler.ui.drawing import figure
from mlops_compiler.ui.environments import environment_of, environments_of
from mlops_compiler.ui.examine import Examiner
from mlops_compiler.ui.feedback import collected, collected_figure, retrained
from mlops_compiler.ui.gate import KEPT_POLICY, is_own
from mlops_compiler.ui.health import engines, place_of
from mlops_compiler.ui.kept import card_of, kept_text, output_of, stage_of
from mlops_compiler.ui.lifecycle import lifecycle
from mlops_compiler.ui.monitoring import (
    CHECKS,
    drift_rows,
    fired,
    performance_figures,
    rules_of,
    slice_drift_rows,
    slices_of,
)
from mlops_compiler.ui.operation import after_the_run
from mlops_compiler.ui.overview import cards, happenings
from mlops_compiler.ui.releases import release_rows
from mlops_compiler.ui.render import answer
from mlops_compiler.ui.services import Services
from mlops_compiler.ui.steps import steps_of_rollout
from mlops_compiler.ui.traffic import SPANS, traffic_figures, traffic_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord
    from mlops_compiler.ui.window import Window

_RUNS, _AUDIT, _CHECKS = 50, 200, 200


class Pages:
    """The pages of one store."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._services = Services()
        self._examiner = Examiner(window)

    def overview(self, request: Request) -> Response:
        """Show all recipes."""
        store = self._window.store()
        return answer(
            request,
            "overview.html.j2",
            name="Overview",
            tab="overview",
            cards=cards(store, self._services.ask(store.deployments())),
            happenings=happenings(store),
            place=store.location.shown,
            is_made=not store.is_empty,
        )

    def lifecycle(self, request: Request) -> Response:
        """Show where the last run of a recipe stands, and what is in operation."""
        store, recipe = self._of(request)
        run = next(iter(store.runs(recipe, limit=1)), None)
        environment = environment_of(store, request)
        answers = self._services.ask([item] if (item := store.deployment(recipe, environment)) else [])
        after = after_the_run(store, recipe, environment, answers.get((recipe, environment)))
        return self._recipe(
            request,
            "lifecycle.html.j2",
            "lifecycle",
            run=run,
            life=lifecycle(store, run, after) if run else None,
            now=time.time() if run and run.status == "running" else 0.0,
            happenings=happenings(store, recipe),
        )

    def runs(self, request: Request) -> Response:
        """Show the runs of a recipe."""
        store, recipe = self._of(request)
        return self._recipe(request, "runs.html.j2", "runs", runs=store.runs(recipe, limit=_RUNS), most=_RUNS)

    def run(self, request: Request) -> Response:
        """Show one run, its trials above all."""
        store, _recipe = self._of(request)
        run = self._run(store, request)
        board = board_of(store, run)
        chosen = board["chosen"] if board else None
        evaluation = output_of(store, run, "evaluate", "evaluation") or {}
        figures = [
            figure(
                report_charts.models(board, chosen) if board else None,
                "What each model reached",
                "Each dot is a complete trial; the diamond is the one that was chosen.",
                told=False,
            ),
            figure(
                search_charts.history(board) if board else None,
                "Score by trial",
                "The line is the best complete trial so far; hollow marks were stopped early.",
                told=False,
            ),
        ]
        return self._recipe(
            request,
            "run.html.j2",
            "runs",
            run=run,
            life=lifecycle(store, run),
            now=time.time() if run.status == "running" else 0.0,
            board=board,
            trials=trial_rows(board, chosen),
            strip=STRIP,
            figures=[item for item in figures if item],
            metrics=holdout.metric_rows(evaluation, (board or {}).get("selection")),
            criteria=holdout.criterion_rows((run.summary or {}).get("criteria") or ()),
            has_report=self._report_of(store, run) is not None,
        )

    def report(self, request: Request) -> Response:
        """Show the report of a run, as it is kept; it runs apart from the dashboard."""
        from starlette.exceptions import HTTPException
        from starlette.responses import HTMLResponse

        store, _recipe = self._of(request)
        digest = self._report_of(store, self._run(store, request))
        text = kept_text(store, digest) if digest else None
        if text is None:
            raise HTTPException(404)
        return HTMLResponse(text, headers={"content-security-policy": KEPT_POLICY})

    def releases(self, request: Request) -> Response:
        """Show the releases of a recipe."""
        store, recipe = self._of(request)
        rows = release_rows(store, recipe)
        asked = next((item for item in (rows[0].criteria if rows else ()) if item.get("metric") == rows[0].metric), {})
        chart = charts.scores_of_releases(rows, (asked.get("at_least"), asked.get("at_most")))
        drawn = figure(chart, "Score by release", "On the holdout, with its interval. Dashed: what was asked.")
        return self._recipe(
            request,
            "releases.html.j2",
            "releases",
            rows=rows,
            placements=store.placements(recipe),
            figure=drawn if len(rows) > 1 else None,
        )

    def traffic(self, request: Request) -> Response:
        """Show what the service of a recipe met with, and how traffic passes to a release."""
        store, recipe = self._of(request)
        asked = request.query_params.get("hours", "")
        hours = int(asked) if asked.isdecimal() and int(asked) in SPANS else 1
        environment = environment_of(store, request)
        found = traffic_of(store.location, service_name(recipe, environment), hours)
        deployment = store.deployment(recipe, environment)
        return self._recipe(
            request,
            "traffic.html.j2",
            "traffic",
            traffic=found,
            spans=list(SPANS),
            hours=hours,
            figures=traffic_figures(found) if found else [],
            rollout=rollout_of(deployment) if deployment else None,
            steps=steps_of_rollout(store.audit(recipe, limit=_AUDIT), environment),
        )

    def monitoring(self, request: Request) -> Response:
        """Show what monitoring found, over time."""
        store, recipe = self._of(request)
        checks = store.checks(recipe, environment_of(store, request), limit=CHECKS)
        run = store.run(made.run_id) if checks and (made := store.release(recipe, checks[0].release)) else None
        criteria = ((run.summary if run else None) or {}).get("criteria") or ()
        return self._recipe(
            request,
            "monitoring.html.j2",
            "monitoring",
            checks=checks,
            payload=checks[0].payload if checks else {},
            fired=fired(checks[0]) if checks else [],
            rules=rules_of(checks[0]) if checks else [],
            slices=slices_of(checks[0]) if checks else [],
            drift=drift_rows(checks),
            slice_drift=slice_drift_rows(checks),
            figures=performance_figures(checks, criteria),
        )

    def alerts(self, request: Request) -> Response:
        """Show when checks found something."""
        store, recipe = self._of(request)
        checks = store.checks(recipe, environment_of(store, request), limit=_CHECKS)
        found = [(check, fired(check)) for check in checks if check.status in ("alert", "noticed")]
        return self._recipe(request, "alerts.html.j2", "alerts", checks=checks, found=found, most=_CHECKS)

    def feedback(self, request: Request) -> Response:
        """Show what came back to training, when a model was trained anew and why, and where the release fails."""
        store, recipe = self._of(request)
        entries, found = store.audit(recipe, limit=_AUDIT), collected(store, recipe)
        return self._recipe(
            request,
            "feedback.html.j2",
            "feedback",
            collections=found,
            retrainings=retrained(entries),
            figure=collected_figure(found),
            most=_AUDIT,
            full=len(entries) == _AUDIT,
        )

    def audit(self, request: Request) -> Response:
        """Show who did what."""
        store, recipe = self._of(request)
        return self._recipe(request, "audit.html.j2", "audit", entries=store.audit(recipe, limit=_AUDIT), most=_AUDIT)

    def health(self, request: Request) -> Response:
        """Show how services, store, database and engines are."""
        store = self._window.store()
        deployments = store.deployments()
        return answer(
            request,
            "health.html.j2",
            name="Health",
            tab="health",
            deployments=deployments,
            answers=self._services.ask(deployments),
            place=place_of(store),
            engines=engines(deployments),
            examination=self._examiner.last,
        )

    def examine(self, request: Request) -> Response:
        """Begin to examine everything; only a page of the dashboard may ask for it."""
        from starlette.exceptions import HTTPException
        from starlette.responses import RedirectResponse

        if not is_own(request):
            raise HTTPException(403, "Only the dashboard itself may ask for that.")
        self._examiner.start()
        return RedirectResponse("/health", 303)

    def _recipe(self, request: Request, template: str, tab: str, **values: Any) -> Response:
        """Answer with a page of a recipe, which has its name, its purpose and its tabs."""
        store, recipe = self._of(request)
        card, environment = card_of(store, recipe), environment_of(store, request)
        head: dict[str, Any] = {
            "recipe": recipe,
            "use": card.get("use") or {},
            "model": card.get("model") or {},
            "environment": environment,
            "environments": environments_of(store, recipe, environment),
            "deployment": store.deployment(recipe, environment),
            "check": next(iter(store.check_states(recipe, environment, limit=1)), None),
        }
        return answer(request, template, name=recipe, tab=tab, **head, **values)

    def _of(self, request: Request) -> tuple[StoreReader, str]:
        from starlette.exceptions import HTTPException

        store, recipe = self._window.store(), request.path_params["recipe"]
        if recipe not in store.recipes():
            raise HTTPException(404)
        return store, recipe

    def _run(self, store: StoreReader, request: Request) -> RunRecord:
        from starlette.exceptions import HTTPException

        run = store.run(request.path_params["run"])
        if run is None or run.recipe != request.path_params["recipe"]:
            raise HTTPException(404)
        return run

    def _report_of(self, store: StoreReader, run: RunRecord) -> str | None:
        record = stage_of(store, run, "report")
        return record.outputs.get("report") if record else None
