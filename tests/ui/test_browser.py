"""The dashboard in a real browser: it is live, it loads nothing from elsewhere, and no script but its own runs."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from threading import Thread

import pytest
import uvicorn

from mlops_compiler.ui.app import create_app

NAME = '<img src=x onerror="document.title=1">'
EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'

pytestmark = pytest.mark.browser


@contextmanager
def served(store):
    """Serve a dashboard on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(store.location), log_level="error", lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def opened(chromium, store):
    """Give a page, the address of the dashboard, and what the page complained of or asked others for."""
    with served(store) as url:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        page, complaints = context.new_page(), []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(url) else complaints.append(asked.url))
        yield page, url, complaints
        context.close()


def test_a_run_that_begins_and_goes_on_is_seen_without_a_reload(store, opened):
    page, url, complaints = opened
    page.goto(url)
    assert page.get_by_role("heading").first.inner_text() == "Nothing has run in this store yet"
    page.evaluate("window.here = true")
    run_id = store.begin()
    page.get_by_role("link", name="churn", exact=True).wait_for()
    store.search(run_id)
    page.get_by_text("2 of 5 trials").wait_for()
    assert page.evaluate("window.here"), "the page is the one that was opened"
    store.end(run_id, release=1)
    page.get_by_text("a run made release 1").wait_for()
    assert complaints == []


def test_a_page_that_is_brought_up_to_date_keeps_its_place(store, opened):
    page, url, complaints = opened
    store.release()
    page.goto(f"{url}/recipes/churn/releases")
    page.get_by_text("All metrics").click()
    page.get_by_text("All metrics").focus()
    assert page.get_by_text("Log loss", exact=True).is_visible()
    store.release()
    page.get_by_role("heading", name="Release 2").wait_for()
    first = page.locator("article", has_text="Release 1")
    assert first.locator("details").evaluate("it => it.open")
    assert first.locator("summary").evaluate("it => it === document.activeElement")
    assert complaints == []


def test_every_page_works_and_asks_nobody_else(store, opened):
    page, url, complaints = opened
    run_id = store.release()
    store.release()
    store.operate()
    store.deploy()
    page.goto(url)
    for name in ("churn", "Runs", "Releases", "Feedback", "Audit"):
        page.get_by_role("link", name=name, exact=True).first.click()
        assert page.locator("#content").is_visible()
    for path in (f"/recipes/churn/runs/{run_id}", "/health", "/nothing"):
        page.goto(f"{url}{path}")
        assert page.locator("#content").is_visible()
    gone = "Failed to load resource: the server responded with a status of 404 (Not Found)"
    assert [complaint for complaint in complaints if complaint != gone] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(store, opened, width):
    page, url, _ = opened
    run_id = store.release()
    store.release()
    store.operate()
    page.set_viewport_size({"width": width, "height": 800})
    for path in (
        "/",
        "/recipes/churn",
        "/recipes/churn/runs",
        f"/recipes/churn/runs/{run_id}",
        "/recipes/churn/releases",
        "/recipes/churn/feedback",
        "/health",
    ):
        page.goto(f"{url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_nothing_that_the_store_tells_runs(store, opened):
    page, url, complaints = opened
    store.recipe = NAME
    run_id = store.release(notes=EVIL, description=EVIL)
    store.writer.add_audit(actor=EVIL, action=EVIL, recipe=NAME, payload={EVIL: EVIL})
    page.goto(url)
    page.get_by_role("heading", name=NAME).get_by_role("link").click()
    for name in ("Runs", "Releases", "Audit"):
        page.get_by_role("link", name=name, exact=True).click()
        assert page.locator("img, script:not([src])").count() == 0
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("link", name=run_id).click()
    page.locator("h2", has_text="Leaderboard").wait_for()
    assert page.title() == f"{NAME} · mlops-compile"
    assert complaints == []


def test_a_kept_report_cannot_reach_the_dashboard(store, opened):
    page, url, _ = opened
    run_id = store.begin()
    script = "<title>kept</title><script>fetch('/').then(() => document.title = 'read').catch(() => document.title = 'refused')</script>"
    store.stage(run_id, "report", {"report": script})
    page.goto(f"{url}/recipes/churn/runs/{run_id}/report")
    page.wait_for_function("document.title !== 'kept'")
    assert page.title() == "refused"


def test_a_mark_of_a_chart_tells_what_it_is(store, opened):
    page, url, _ = opened
    store.release()
    store.release()
    page.goto(f"{url}/recipes/churn/releases")
    page.locator("svg [aria-label^='release 2']").hover()
    assert page.locator("#tip").inner_text() == "release 2: 0.8432, 0.8200 to 0.8600"


def test_light_and_dark_are_kept(store, opened):
    page, url, _ = opened
    store.begin()
    page.goto(url)
    colour = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(colour)
    page.get_by_role("button", name="Change between light and dark").click()
    page.get_by_role("button", name="Change between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(colour) != light
    page.reload()
    assert page.evaluate(colour) != light
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Change between light and dark").click()
    assert page.evaluate("document.documentElement.hasAttribute('data-theme')") is False
    assert page.evaluate(colour) != light


def test_a_dashboard_that_ended_is_told(chromium, store):
    store.begin()
    with served(store) as url:
        page = chromium.new_page()
        page.goto(url)
        page.get_by_text("live", exact=True).wait_for()
    page.get_by_text("the dashboard has ended").wait_for()
    page.close()


def test_the_keyboard_reaches_everything(store, opened):
    page, url, _ = opened
    store.release()
    page.goto(f"{url}/recipes/churn")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Lifecycle"


def test_an_examination_is_started_by_its_button(store, opened):
    page, url, complaints = opened
    store.release()
    page.goto(f"{url}/health")
    page.get_by_role("button", name="Examine now").click()
    page.get_by_role("button", name="Examine again").wait_for()
    assert page.get_by_text("hashed anew:").is_visible()
    assert complaints == []
