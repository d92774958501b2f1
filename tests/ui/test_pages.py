"""Every page shows what the store has, says what is not there yet, and escapes all of it."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote

import pytest

from mlops_compiler.store.location import StoreLocation
from tests.ui.conftest import visitor

PAGES = ("", "/runs", "/releases", "/feedback", "/audit")
EVIL = '<img src=x onerror="alert(1)">'


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_where_no_store_is_the_page_says_what_to_type_and_makes_none(tmp_path):
    place = tmp_path / "none"
    answer = visitor(StoreLocation(url=str(place))).get("/")
    assert answer.status_code == 200
    assert "There is no store here yet" in answer.text
    assert "mlops-compile recipe=churn" in answer.text
    assert not place.exists()


def test_a_store_that_is_made_later_is_seen(store, tmp_path):
    client = visitor(store.location)
    assert "Nothing has run in this store yet" in client.get("/").text
    store.begin()
    assert 'href="/recipes/churn"' in client.get("/").text


def test_the_overview_shows_score_service_environment_and_what_happened(store, client):
    store.release()
    store.operate()
    store.deploy()
    shown = text_of(client.get("/").text)
    assert "ROC AUC 0.8432" in shown
    assert "release 1 silent" in shown
    assert "production 1" in shown
    assert "a run made release 1" in shown
    assert "promote release 1 in production, by ana@host" in shown


class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/churn/health" else 404)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_a_service_is_asked_whether_it_answers(store, client):
    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        store.release()
        store.deploy(f"http://127.0.0.1:{server.server_port}/churn")
        shown, overview = text_of(client.get("/health").text), text_of(client.get("/").text)
        server.shutdown()
        thread.join()
    assert re.search(r"churn development 1 answers [\d.]+ ms", shown)
    assert "release 1 served" in overview


def test_a_running_search_is_told_from_its_events(store, client):
    run_id = store.begin()
    store.search(run_id)
    overview, page = text_of(client.get("/").text), client.get("/recipes/churn").text
    assert "searching, 2 of 5 trials, best 0.8400" in overview
    assert 'class="box running"' in page
    assert "trial 2 logistic" in text_of(page)
    assert 'aria-label="1 of 2 folds"' in page
    board = text_of(client.get(f"/recipes/churn/runs/{run_id}").text)
    assert re.search(r"1 logistic logistic_regression, trial 1 0\.8400", board)
    assert "running" in board


def test_a_run_whose_process_ended_has_a_stage_that_was_cut_short(store, client):
    run_id = store.begin(pid=2**22 + 1)
    store.search(run_id)
    page = client.get("/recipes/churn").text
    assert 'class="box stopped"' in page
    assert 'class="box running"' not in page
    assert 'class="badge warm">lost' in page


def test_a_finished_run_shows_its_leaderboard_with_the_choice_and_its_report(store, client):
    run_id = store.release()
    page = client.get(f"/recipes/churn/runs/{run_id}").text
    assert re.search(r"1 logistic chosen logistic_regression, trial 1 0\.8400", text_of(page))
    assert "Chosen: the best mean" in text_of(page)
    assert "at least 0.83 0.8432 ✓ met" in text_of(page)
    kept = client.get(f"/recipes/churn/runs/{run_id}/report")
    assert "<title>kept</title>" in kept.text
    assert kept.headers["content-security-policy"].startswith("sandbox")


def test_releases_show_where_they_are_and_who_approved(store, client):
    store.release()
    store.release(notes="more trees")
    store.operate()
    store.deploy(release=2)
    page = client.get("/recipes/churn/releases").text
    shown = text_of(page)
    assert shown.index("Release 2") < shown.index("Release 1 ")
    assert "more trees" in shown
    assert "approved for production by ana@host (“looks right”)" in shown
    assert page.count('class="release serves"') == 1
    assert 'aria-label="release 2: 0.8432, 0.8200 to 0.8600, in service"' in page


def test_the_audit_is_shown(store, client):
    store.begin()
    store.operate()
    assert "ana@host promote 1 production from test" in text_of(client.get("/recipes/churn/audit").text)


def test_what_is_not_there_is_said_on_each_page(store, client):
    store.begin(plan=[])
    for page in PAGES:
        answer = client.get(f"/recipes/churn{page}")
        assert answer.status_code == 200, page
    assert "No release yet" in client.get("/recipes/churn/releases").text


@pytest.mark.parametrize(
    "path", ["/recipes/none", "/recipes/churn/runs/none", "/nothing", "/static/../app.py", "/static/gate.py"]
)
def test_what_is_not_here_gets_404(store, client, path):
    store.begin()
    answer = client.get(path)
    assert answer.status_code == 404
    assert "This is not here" in answer.text


def test_a_run_is_shown_under_its_own_recipe_alone(store, client):
    run_id = store.begin()
    store.recipe = "other"
    store.begin()
    assert client.get(f"/recipes/other/runs/{run_id}").status_code == 404


def test_all_that_the_store_tells_is_escaped(store, client):
    store.recipe = EVIL
    run_id = store.release(notes=EVIL, description=EVIL)
    store.operate()
    store.writer.add_audit(actor=EVIL, action=EVIL, recipe=EVIL, environment=EVIL, payload={EVIL: EVIL})
    running = store.begin(run_id=f"r{EVIL}", overrides=[EVIL], plan=[{"stage": EVIL, "action": "new", "reason": EVIL}])
    store.writer.add_event(running, "search_planned", {"trials": 2, "folds": 1, "metric": EVIL, "models": [EVIL]})
    store.writer.add_event(running, "trial_started", {"trial": 0, "model": EVIL})
    told = {"trial": 1, "model": EVIL, "kind": EVIL, "score": 1.0, "parameters": {EVIL: EVIL}, "error": EVIL}
    store.writer.add_event(running, "trial_finished", told)
    store.writer.add_event(running, "stage_failed", {"stage": EVIL, "headline": EVIL})
    store.deploy(EVIL)
    home = client.get("/").text
    (base,) = set(re.findall(r'href="(/recipes/[^"/]+)"', home))
    pages = [f"{base}{page}" for page in PAGES] + [f"{base}/runs/{run_id}", "/health", "/"]
    pages += [f"{base}/runs/{quote(running, safe='')}", f"{base}/runs/{EVIL}"]
    assert all(link.startswith(("/", "#")) and EVIL not in link for link in re.findall(r'href="([^"]*)"', home))
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == (404 if page.endswith(EVIL) else 200), page
        assert "<img" not in answer.text, page
        assert 'onerror="' not in answer.text, page


def test_a_page_that_shows_what_there_is_gets_nothing(store, client):
    store.begin()
    first = client.get("/recipes/churn/runs")
    (seal,) = re.findall(r'data-seal="(\w+)"', first.text)
    asks = {"x-live": "true", "x-seen": seal}
    assert client.get("/recipes/churn/runs", headers=asks).status_code == 204
    store.begin()
    again = client.get("/recipes/churn/runs", headers=asks)
    assert again.status_code == 200
    assert again.text.startswith('<div id="content"')
    assert "run-2" in again.text


def test_a_damaged_database_is_told_and_not_a_traceback(store):
    store.begin()
    store.location.sqlite.write_bytes(b"no database at all, but some bytes" * 200)
    for more in ("-wal", "-shm"):
        store.location.sqlite.with_name(f"metadata.db{more}").unlink(missing_ok=True)
    answer = visitor(store.location).get("/")
    assert answer.status_code == 503
    assert "The store cannot be read" in answer.text


def test_an_examination_hashes_everything_when_asked(store, client):
    store.release()
    digest = store.writer.objects.put(b"kept")
    store.stage("run-1", "snapshot", {"snapshot": "rows"})
    assert "Examine now" in client.get("/health").text
    refused = client.post("/health/examine", headers={"origin": "http://evil.example"})
    assert refused.status_code == 403
    assert client.post("/health/examine").status_code == 403
    begun = client.post("/health/examine", headers={"origin": "http://127.0.0.1:8765"})
    assert begun.status_code == 200
    for _ in range(1000):
        shown = text_of(client.get("/health").text)
        if "Examine again" in shown:
            break
    assert "hashed anew" in shown
    assert digest not in shown
    assert "1 missing" in shown, "the manifest of the release is no object"
