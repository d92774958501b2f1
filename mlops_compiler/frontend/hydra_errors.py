"""What Hydra and OmegaConf raise becomes a diagnostic at the token or file to blame.

Most mistakes are found before Hydra is asked; what is left is recognised here, and nothing of it is lost.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from mlops_compiler.diagnostics import Diagnostic, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_compiler.frontend.tokens import Token

_NOTHING_TO_DELETE = re.compile(r"Could not delete (?:from config\. )?'([^']+)'")
_TAKEN = re.compile(r"Could not append to config\. An item is already at '([^']+)'")
_UNKNOWN = re.compile(r"Could not override '([^']+)'")


@contextmanager
def translated(tokens: Sequence[Token]) -> Iterator[None]:
    """Turn errors of a composition into diagnostics.

    Raises:
        UsageError: What Hydra found.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError, TypeError, LookupError) as error:
        raise UsageError([_finding(error, tokens)]) from error


def _finding(error: Exception, tokens: Sequence[Token]) -> Diagnostic:
    message = str(error) or str(error.__cause__ or type(error).__name__)
    if isinstance(error, MissingConfigException):
        return _missing(error, tokens)
    for pattern, make in ((_NOTHING_TO_DELETE, _absent), (_TAKEN, _taken), (_UNKNOWN, _unknown)):
        if (found := pattern.search(message)) is not None:
            return make(found[1], _about(found[1], message, tokens))
    return _other(error, message, tokens)


def _missing(error: MissingConfigException, tokens: Sequence[Token]) -> Diagnostic:
    path = error.missing_cfg_file or "?"
    group, _, option = path.rpartition("/")
    token = next((item for item in tokens if item.key == group), None)
    return Diagnostic(
        code="unknown-option",
        headline=f"`{group}` has no option `{option}`",
        span=None if token is None else token.value_span,
        help=did_you_mean(option, error.options or (), otherwise="its options"),
    )


def _absent(key: str, token: Token | None) -> Diagnostic:
    return Diagnostic(
        code="unknown-key",
        headline=f"`{key}` cannot be removed: the recipe does not have it",
        span=None if token is None else token.span,
        help="see what the recipe has with --cfg job",
    )


def _taken(key: str, token: Token | None) -> Diagnostic:
    return Diagnostic(
        code="bad-override",
        headline=f"`{key}` cannot be added: the recipe has it already",
        span=None if token is None else token.span,
        help="leave the `+` out to change it",
    )


def _unknown(key: str, token: Token | None) -> Diagnostic:
    return Diagnostic(
        code="unknown-key",
        headline=f"`{key}` is no setting of Hydra",
        span=None if token is None else token.span,
        help="see its settings with --cfg hydra",
    )


def _other(error: Exception, message: str, tokens: Sequence[Token]) -> Diagnostic:
    cause = error.__cause__ or error
    reason = (str(cause) or message).strip().splitlines()[0].rstrip(".")
    token = _about(None, message, tokens)
    if token is not None:
        headline = f"`{token.text}` does not fit the recipe: {reason}"
        return Diagnostic(code="bad-override", headline=headline, span=token.span)
    if "override " in reason and "override /" not in reason:  # groups lie beside the recipes, hence the slash
        reason = reason.replace("override ", "override /")
    return Diagnostic(code="composition", headline=f"the recipe cannot be composed: {reason}")


def _about(key: str | None, message: str, tokens: Sequence[Token]) -> Token | None:
    """Find the token that a message is about: by its key, else because the message quotes it."""
    named = [token for token in tokens if token.key == key]
    quoted = [token for token in tokens if token.text.lstrip("+") in message]
    return next(iter(named + quoted), None)
