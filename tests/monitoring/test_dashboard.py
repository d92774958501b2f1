"""The dashboard on what monitoring finds of real customers."""

from __future__ import annotations

import asyncio

import httpx
import polars as pl

from mlops_compiler.ui.app import create_app


def shown(served, path):
    async def ask():
        transport = httpx.ASGITransport(create_app(served.store.location))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    answer = asyncio.run(ask())
    assert answer.status_code == 200
    return answer.text


def test_an_alert_is_shown_with_its_column_its_metric_and_its_traffic(served, others):
    ids = served.serve(others.head(1500).with_columns(pl.col("monthly_charges") * 1.25))
    served.label(ids[:800], others["churn"][:800].to_list())
    served.requests(_200=1500, _422=3)
    served.monitor()
    page = shown(served, "/recipes/telco/monitoring")
    assert "<b>drift:monthly_charges</b>" in page
    assert '<tr class="drifted"><th scope="row">monthly_charges' in page
    assert "UTC, measured: 0." in page
    assert "UTC, estimated: 0." in page
    assert "UTC, on the holdout: 0." in page
    assert "an alert" in shown(served, "/")
    assert "1,503</b> requests" in shown(served, "/recipes/telco/traffic?hours=168")
