"""No message shows a password."""

from __future__ import annotations

import pytest

from mlops_compiler.diagnostics import Diagnostic, Note, Span, mask, render_json, render_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:hush@host/db", "postgresql://me:****@host/db"),
        (
            "store.database='postgresql+psycopg://me:h:u@host/db'",
            "store.database='postgresql+psycopg://me:***@host/db'",
        ),
        ("s3://key:hush@bucket and http://:x@y", "s3://key:****@bucket and http://:*@y"),
        ("http://127.0.0.1:8000/churn", "http://127.0.0.1:8000/churn"),
        ("http://127.0.0.1:8000/me@example.com", "http://127.0.0.1:8000/me@example.com"),
        ("mailto:analytics@example.com", "mailto:analytics@example.com"),
    ],
)
def test_passwords_of_urls_are_masked_and_nothing_else(text, shown):
    assert mask(text) == shown


def test_diagnostics_mask_what_they_quote():
    override = "store.database=postgresql://me:hush@host/db"
    found = Diagnostic(
        code="x", headline=f"bad {override}", span=Span.of_token(override), notes=(Note(text=override),), help=override
    )
    assert "hush" not in render_text([found])
    assert "hush" not in str(render_json([found]))
    assert "****@host" in render_text([found])
