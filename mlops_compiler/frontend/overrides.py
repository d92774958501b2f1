"""The command line's tokens: parsed by Hydra's grammar, checked, and made to fit the recipe.

Hydra wants `+` before what the recipe does not name yet; people should not have to know. So a plain `a.b=c`
is forced, and a plain `group=option` added where the recipe does not name the group; the models find what is
misspelt.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException, OverrideParseException

from mlops_compiler.diagnostics import Diagnostic, Sink, Span, UsageError
from mlops_compiler.frontend.contradictions import contradictions
from mlops_compiler.frontend.folders import RECIPE
from mlops_compiler.frontend.interpolation import problems
from mlops_compiler.frontend.recipe_text import MAX_DEPTH
from mlops_compiler.frontend.text_rules import calls_code
from mlops_compiler.frontend.tokens import Token
from mlops_compiler.frontend.yaml_spans import narrow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

_LEXER = "LexerNoViableAltException: "
_OFFSET = re.compile(rf"{_LEXER}.*\n(\s*\^)$", re.MULTILINE)
_QUOTE_IT = "quote the value, for the shell and for Hydra: \"key='a: b'\""
_MAX_TOKEN = 100_000


def parse(texts: Sequence[str]) -> list[Token]:
    """Parse and check overrides.

    Raises:
        UsageError: Everything that is wrong with them.
    """
    sink, tokens = Sink(), []
    for text in texts:
        try:
            token = Token(text=text, override=_parsed(text))
        except (HydraException, RecursionError) as error:
            sink.add(_bad_syntax(text, error))
            continue
        for finding in _refused(token):
            sink.add(finding)
        tokens.append(token)
    for finding in contradictions(tokens):
        sink.add(finding)
    sink.raise_errors(UsageError)
    return tokens


@lru_cache(maxsize=256)
def _parsed(text: str) -> Override:
    if len(text) > _MAX_TOKEN:
        raise OverrideParseException(override=text, message="the override is too long")
    return OverridesParser.create().parse_overrides([text])[0]


def rewritten(
    token: Token, *, groups: Collection[str], named: Collection[str], locate: Callable[[str], str | None]
) -> str:
    """Put an override the way Hydra needs it.

    Args:
        token: The override.
        groups: All groups that there are.
        named: The groups that the recipe's own defaults name.
        locate: Finds the file of a recipe by what the user calls it.
    """
    override = token.override
    if token.is_hydras or override.is_sweep_override() or not token.is_plain:
        return token.text
    if token.key == RECIPE and isinstance(token.value, str):
        file = locate(token.value)
        return token.text if file is None else f"{RECIPE}={quoted(file)}"
    if token.key in groups and not isinstance(token.value, dict):
        return token.text if token.key in named else f"+{token.text}"
    return f"++{token.text}"


def quoted(text: str) -> str:
    """Quote a text for Hydra's grammar."""
    return str(QuotedString(text=text, quote=Quote.single).with_quotes())


def _refused(token: Token) -> Iterator[Diagnostic]:
    if not token.key:
        yield _usage("bad-override", f"`{_short(token.text)}` names no key", token.span, help_="write key=value")
    if token.override.is_delete() and token.key.rpartition(".")[2].isdigit():
        headline = "an item of a list cannot be removed"
        yield _usage("bad-override", headline, token.span, help_="give the whole list")
    if token.override.package is not None:
        yield _usage("bad-override", "recipes have no packages: name the key itself", token.span)
    if token.key.startswith("hydra.searchpath"):
        headline = "recipes and groups are found in their folders only"
        yield _usage("forbidden-override", headline, token.span, help_="name a folder with --recipe-dir")
    if not token.override.is_sweep_override() and _depth(token) > MAX_DEPTH:
        yield _usage("bad-override", f"the override goes more than {MAX_DEPTH} levels deep", token.span)
    if any(calls_code(key) for key in _keys(token)):
        headline = "`_target_` and its like would make Hydra run code"
        yield _usage("forbidden-override", headline, token.span)
    if not token.is_hydras and "${" in token.text:
        for problem in problems(token.text):
            span = narrow(token.span, problem.written)
            yield _usage(problem.code, problem.text, span, help_=problem.help)


def _depth(token: Token) -> int:
    depth, level = token.key.count(".") + 1, [token.value]
    while level and depth <= MAX_DEPTH:
        items = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in items for part in (item.values() if isinstance(item, dict) else item)]
        depth += 1 if items else 0
    return depth


def _keys(token: Token) -> Iterator[str]:
    yield token.key
    if not token.override.is_sweep_override():
        yield from _nested_keys(token.value)


def _nested_keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _nested_keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nested_keys(item)


def _bad_syntax(text: str, error: Exception) -> Diagnostic:
    if "=" not in text and not text.startswith("~"):
        headline = f"`{_short(text)}` is no override: it has no value"
        return _usage("bad-override", headline, Span.of_token(text), help_="write key=value")
    found = _OFFSET.search(str(error))
    column = len(found[1]) - len(_LEXER) if found is not None else 0
    in_value = column > text.find("=") + 1 or (column < 1 and _has_value(text))
    return _usage(
        "bad-override",
        f"`{_short(text)}` cannot be read as an override",
        Span.of_token(text, column, 1) if column >= 1 else Span.of_token(text),
        help_=_QUOTE_IT if in_value else "write key=value, +key=value to add or ~key to remove",
    )


def _has_value(text: str) -> bool:
    return re.match(r"[+~]{0,2}[\w.\-/]+=", text) is not None


def _usage(code: str, headline: str, span: Span | None, *, help_: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, headline=headline, span=span, help=help_)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - room in a headline
