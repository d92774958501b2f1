"""Runs the rules over a recipe: each finding weighs what the environment says, and what is allowed is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints import (
    default_hyperparameters,
    feedback_loop,
    id_like_feature,
    join_into_future,
    misleading_accuracy,
    missing_secret,
    no_acceptance,
    no_notification,
    no_owner,
    no_rollback,
    no_time_trigger,
    not_acted_on,
    one_value_domain,
    random_split,
    retrain_never,
    single_metric,
    space_not_covered,
    undeclared_time,
    unexplained_drop,
    unreached_parameter,
)
from mlops_compiler.diagnostics import Diagnostic, Note, RecipeError, Severity, Sink, did_you_mean
from mlops_compiler.recipe.governance import Allowance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Finding, Rule, Subject
    from mlops_compiler.recipe.recipe import Recipe

_MODULES = (
    random_split,
    join_into_future,
    single_metric,
    misleading_accuracy,
    default_hyperparameters,
    one_value_domain,
    space_not_covered,
    unreached_parameter,
    unexplained_drop,
    undeclared_time,
    id_like_feature,
    no_owner,
    no_notification,
    no_acceptance,
    no_rollback,
    no_time_trigger,
    feedback_loop,
    retrain_never,
    missing_secret,
    not_acted_on,
)
RULES: dict[str, Rule] = {module.RULE.code: module.RULE for module in _MODULES}
"""All rules by their codes, in the order in which they are told."""


ALLOWABLE = (*RULES, "leak-suspect", "drops-informative", "imputes-not-at-random")
"""What `allow` may name: the rules, and what only a run or an exploration finds in the data."""


def lint(subject: Subject) -> tuple[Diagnostic, ...]:
    """Find what the rules have to say of a recipe, and what is wrong with what it allows.

    Returns:
        The warnings.

    Raises:
        RecipeError: A rule is broken that the environment does not forgive; tells the warnings, too.
    """
    sink = Sink()
    for finding in _found(subject):
        sink.add(finding)
    sink.raise_errors(RecipeError)
    return sink.warnings


def _found(subject: Subject) -> Iterator[Diagnostic]:
    may = allowed(subject.recipe)
    used: set[str] = set()
    for rule in RULES.values():
        severity = rule.levels[subject.recipe.environment]
        found = list(rule.check(subject))
        if found and rule.code in may:
            used.add(rule.code)
        elif severity is not None:
            yield from (_told(rule, item, severity, subject) for item in found)
    yield from _on_allowances(subject, used)


def allowed(recipe: Recipe) -> set[str]:
    """Name the rules that a recipe may break."""
    return {_rule_of(item) for item in recipe.allow}


def _rule_of(item: str | Allowance) -> str:
    return item.rule if isinstance(item, Allowance) else item


def _told(rule: Rule, found: Finding, severity: Severity, subject: Subject) -> Diagnostic:
    notes = found.notes
    if rule.levels["development"] is not severity:
        environment = f"`environment: {subject.recipe.environment}` asks for it"
        notes = (*notes, Note(text=environment, span=subject.at("environment")))
    return Diagnostic(
        code=rule.code,
        headline=found.headline,
        span=found.span,
        notes=notes,
        help=found.help,
        severity=severity,
    )


def _on_allowances(subject: Subject, used: set[str]) -> Iterator[Diagnostic]:
    for index, item in enumerate(subject.recipe.allow):
        code = _rule_of(item)
        span = subject.at("allow", index, *(("rule",) if isinstance(item, Allowance) else ()))
        if code not in ALLOWABLE:
            yield Diagnostic(
                code="unknown-rule",
                headline=f"`allow` names `{code}`, which is no rule",
                span=span,
                help=did_you_mean(code, ALLOWABLE, otherwise="the rules are"),
            )
        elif not isinstance(item, Allowance):
            yield Diagnostic(
                code="unexplained-allow",
                headline=f"`{code}` is allowed, and nothing says why",
                span=span,
                help=f"write `{{rule: {code}, because: ...}}`",
                severity=Severity.ERROR if subject.recipe.environment == "production" else Severity.WARNING,
            )
        if code in RULES and code not in used:
            yield Diagnostic(
                code="unused-allow",
                headline=f"`{code}` is allowed, and this recipe does not break it",
                span=span,
                help="remove the entry",
                severity=Severity.WARNING,
            )
