"""The page at ``/docs`` in a real browser: it loads from the service alone, and a request can be sent from it."""

from __future__ import annotations

import socket
from threading import Thread

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from mlops_compiler.serving.app import create_app

pytestmark = pytest.mark.browser


@pytest.fixture
def url(predictor):
    """Serve a release below a route, as Ray Serve does."""
    app = Starlette(routes=[Mount("/churn", create_app(predictor, {"recipe": "churn", "release": 3}))])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/churn"
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_row_is_scored_from_the_page(chromium, url, width):
    page, complaints = chromium.new_page(viewport={"width": width, "height": 900}), []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(asked.url))
    page.goto(f"{url}/docs")
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for()
    assert '"release": 3' in page.locator(".live-responses-table code").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
    page.close()
