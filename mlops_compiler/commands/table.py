"""The commands as data: what each is for, which function it is, and which words of the command line are its own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("full", "concise", "json", "github")
"""How findings are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of the command line.

    Attributes:
        about: What it does, for ``--help``.
        function: Where it is, ``module:name`` in `mlops_compiler.commands`.
        needs: A ``recipe`` (called with each composed job), the ``store`` (a recipe may be named), or ``nothing``.
        arguments: Its own words ``name=value``.
        flags: Its own flags without a value.
        options: Its own flags with one.
        words: Most bare words that it takes.
        formats: What ``--format`` may be.
    """

    about: str
    function: str
    needs: Literal["recipe", "store", "nothing"] = "recipe"
    arguments: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    words: int = 0
    formats: tuple[str, ...] = FORMATS

    def load(self) -> Callable[..., int]:
        """Import the function; no other command's module is imported."""
        module, _, name = self.function.partition(":")
        loaded: Any = getattr(import_module(f"mlops_compiler.commands.{module}"), name)
        return loaded  # type: ignore[no-any-return]


COMMANDS: dict[str, Command] = {
    "init": Command(
        about="write a recipe for a table: from=FILE target=COLUMN [positive=VALUE] [name=NAME]",
        function="init:init",
        needs="nothing",
        arguments=("from", "target", "positive", "name"),
    ),
    "check": Command(
        about="validate and analyse a recipe; reads no rows, starts nothing",
        function="check:check",
        arguments=("verbose",),
    ),
    "render": Command(
        about="print the composed recipe; --origins says who set each value",
        function="render:render",
        flags=("--origins",),
    ),
    "plan": Command(
        about="say for each stage whether it would be reused, rebuilt or new, and why",
        function="plan:plan",
        flags=("--detailed-exitcode", "--passes"),
        options=("--out",),
    ),
    "graph": Command(
        about="draw the lifecycle, or with --columns the way of its columns: [--svg|--mermaid] [--out FILE]",
        function="graph:graph",
        flags=("--columns", "--svg", "--mermaid"),
        options=("--out",),
    ),
    "explain": Command(
        about="tell what a code of a finding means, and how to mend it: [CODE]",
        function="explain:explain",
        needs="nothing",
        words=1,
    ),
    "schema": Command(
        about="write the JSON Schema of recipes, for editors: [--out FILE]",
        function="schema:schema",
        needs="nothing",
        options=("--out",),
    ),
    "explore": Command(
        about="look at the data: what is missing, what tells of the target, what repeats or changes: [--out FILE]",
        function="explore:explore_data",
        options=("--out",),
    ),
    "data": Command(
        about="tell of the kept data: list | show [N] | diff [A] [B] | quarantine | verify | archive | restore",
        function="data:data",
        options=("--out",),
        words=3,
    ),
    "intake": Command(
        about="take in what is new of a source that is taken in piece by piece: once, or --watch its cron; --anew",
        function="intake:intake",
        flags=("--watch", "--anew"),
    ),
    "why": Command(about="follow one stage back to what changed: STAGE", function="why:why", words=1),
    "run": Command(
        about="take a recipe to a numbered release (the default): [plan=FILE]; --submit [--detach]: as a cluster's job",
        function="run:run",
        arguments=("plan",),
        flags=("--submit", "--detach"),
    ),
    "feedback": Command(
        about="say what comes back to training, where the release fails and what changed: [--collect] [--out FILE]",
        function="feedback:feedback",
        flags=("--collect",),
        options=("--out",),
    ),
    "retrain": Command(
        about="train anew with what comes back; released if better: now, --if-due, or --watch the recipe's triggers",
        function="retrain:retrain",
        flags=("--if-due", "--watch"),
    ),
    "predict": Command(
        about="score a file with a release: input=FILE output=FILE [release=N] [explain=true] [partial=true]",
        function="predict:predict",
        arguments=("input", "output", "release", "explain", "partial"),
    ),
    "card": Command(
        about="give the model card of a release: [RELEASE] [--out FILE.md|.html|.json]",
        function="card:card",
        options=("--out",),
        words=1,
    ),
    "deploy": Command(
        about="serve a release on Ray Serve: [release=N]", function="service:deploy", arguments=("release",)
    ),
    "rollout": Command(
        about="say how a release does that is on its way to take the place of another: [--abort]",
        function="rollout:rollout",
        flags=("--abort",),
    ),
    "verify": Command(
        about="replay the holdout, or a file, through the service: [input=FILE] [rows=N]",
        function="verify:verify",
        arguments=("input", "rows"),
    ),
    "undeploy": Command(about="end the service of a recipe", function="service:undeploy"),
    "releases": Command(
        about="list the releases of a recipe and where they are, or tell all of one: [N]",
        function="releases:releases",
        needs="store",
        words=1,
    ),
    "approve": Command(
        about="approve of a release for the recipe's environment: release=N [note=TEXT]",
        function="promotion:approve",
        arguments=("release", "note"),
    ),
    "promote": Command(
        about="put a release in the recipe's environment, and serve it there: [release=N] [environment=NAME]",
        function="promotion:promote",
        arguments=("release",),
    ),
    "rollback": Command(
        about="serve the release that was served before, at once: [to=N] [reason=TEXT]",
        function="promotion:rollback",
        arguments=("to", "reason"),
    ),
    "retire": Command(
        about="end a release for good: release=N [reason=TEXT] [--drain]",
        function="promotion:retire",
        arguments=("release", "reason"),
        flags=("--drain",),
    ),
    "audit": Command(
        about="list who did what to what is served, or write it to a file: [limit=N] [--out FILE]",
        function="releases:audit",
        needs="store",
        arguments=("limit",),
        options=("--out",),
    ),
    "keys": Command(
        about="tell of API keys: list | create name=N roles=R,R [expires=90d] | rotate KEY [grace=1h] | revoke KEY",
        function="keys:keys",
        arguments=("name", "roles", "expires", "grace"),
        words=2,
    ),
    "labels": Command(
        about="take in outcomes of served predictions: from feedback.labels, or input=FILE; and tell what is known",
        function="labels:labels",
        arguments=("input",),
    ),
    "trace": Command(
        about="follow one prediction back to its release, run, recipe and data: ID", function="trace:trace", words=1
    ),
    "status": Command(about="say what is served, and how it is", function="service:status", needs="store"),
    "logs": Command(about="print the log of a service: [lines=N]", function="service:logs", arguments=("lines",)),
    "monitor": Command(
        about="compare traffic with training, and outcomes with the holdout: once, or --watch; [since=6h] [release=N]",
        function="monitor:monitor",
        arguments=("since", "release"),
        flags=("--watch",),
    ),
    "ui": Command(
        about="show the store in a browser, live, until Ctrl-C: [port=8765] [host=127.0.0.1] [--no-browser]",
        function="ui:ui",
        needs="store",
        arguments=("port", "host"),
        flags=("--no-browser",),
    ),
    "doctor": Command(
        about="hash every artifact anew and examine metadata, runs and services: [--repair [--from PLACE]]",
        function="doctor:doctor",
        needs="store",
        flags=("--repair",),
        options=("--from",),
    ),
    "runs": Command(
        about="list recorded runs: [limit=N]", function="history:runs", needs="store", arguments=("limit",)
    ),
    "show": Command(
        about="show one recorded run: [RUN]", function="history:show", needs="store", arguments=("run",), words=1
    ),
    "trials": Command(
        about="list the trials of one run's search, why some were stopped, and what made the difference: [RUN]",
        function="history:trials",
        needs="store",
        arguments=("run",),
        words=1,
    ),
    "diff": Command(
        about="compare two runs or releases: [A] [B], each RUN, last, last~1 or release:N",
        function="diff:diff",
        needs="store",
        words=2,
    ),
}
