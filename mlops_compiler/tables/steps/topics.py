"""Texts as numbers: TF-IDF of their words, reduced by a truncated singular value decomposition."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.ir.ops.prepare import Topics
from mlops_compiler.tables.steps.base import Change, as_level, change, learn, makes, neutral, removes, statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned

_WORD = re.compile(r"(?u)\b\w\w+\b")
"""A word has two letters or more, as scikit-learn's vectorizers take it."""


@makes.register(Topics)
def _(step: Topics) -> dict[str, tuple[str, ...]]:
    return {made: (name,) for name in step.columns for made in _names(name, step.components)}


@removes.register(Topics)
def _(step: Topics) -> tuple[str, ...]:
    return step.columns


def _names(column: str, components: int) -> list[str]:
    return [f"{column}~{number}" for number in range(1, components + 1)]


@statistics.register(Topics)
def _(step: Topics, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return {name: as_level(column(name)).fill_null("").implode() for name in step.columns}


@learn.register(Topics)
def _(step: Topics, answers: Mapping[str, Any]) -> Learned:
    return {"topics": {name: _topics(step, name, answers[name].to_list()) for name in step.columns}}


def _topics(step: Topics, name: str, texts: list[str]) -> dict[str, Any]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(token_pattern=_WORD.pattern, max_features=step.max_terms, min_df=step.min_rows)
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError as error:
        raise DataError([_too_few_words(name, 0, step)]) from error
    terms = vectorizer.get_feature_names_out().tolist()
    if len(terms) <= step.components or len(texts) <= step.components:
        raise DataError([_too_few_words(name, len(terms), step)])
    reduced = TruncatedSVD(n_components=step.components, random_state=0).fit(weights)
    return {"terms": terms, "idf": vectorizer.idf_.tolist(), "weights": reduced.components_.T.tolist()}


def _too_few_words(name: str, terms: int, step: Topics) -> Diagnostic:
    return Diagnostic(
        code="nothing-to-learn",
        headline=f"`{name}` has {terms} words that stand in {step.min_rows} training rows or more, too few for "
        f"{step.components} components",
        help="lower `components` or `min_rows`, or drop the column",
    )


@change.register(Topics)
def _(step: Topics, learned: Learned) -> Change:
    made = tuple(_reduced(name, step.components, learned["topics"][name]) for name in step.columns)
    return Change(columns=made, remove=step.columns)


def _reduced(name: str, components: int, topics: Mapping[str, Any]) -> pl.Expr:
    import numpy as np

    names = _names(name, components)
    place = {term: index for index, term in enumerate(topics["terms"])}
    idf = np.asarray(topics["idf"])
    weights = np.asarray(topics["weights"]).reshape(len(place), components)

    def one(text: str) -> NDArray[np.float64]:
        """Sum over the words of one text in the order of the terms, so that a text alone gives the same bits."""
        found = sorted(
            (place[word], count) for word, count in Counter(_WORD.findall(text.lower())).items() if word in place
        )
        if not found:
            return np.zeros(components)
        index = [at for at, _ in found]
        tfidf = np.array([count for _, count in found]) * idf[index]
        scaled: NDArray[np.float64] = (tfidf / np.sqrt((tfidf**2).sum()))[:, None] * weights[index]
        total: NDArray[np.float64] = scaled.sum(axis=0)
        return total

    def reduced(texts: pl.Series) -> pl.Series:
        known = texts.unique().fill_null("").unique().to_list()
        rows = {text: one(text) for text in known}
        table = np.array([rows[text] for text in texts.fill_null("").to_list()]).reshape(len(texts), components)
        return pl.DataFrame(table, schema=dict.fromkeys(names, pl.Float64())).to_struct(texts.name)

    dtype = pl.Struct(dict.fromkeys(names, pl.Float64()))
    return as_level(pl.col(name)).map_batches(reduced, return_dtype=dtype, is_elementwise=True).struct.unnest()


@neutral.register(Topics)
def _(step: Topics, schema: Schema) -> Learned:  # noqa: ARG001
    return {"topics": {name: {"terms": [], "idf": [], "weights": []} for name in step.columns}}
