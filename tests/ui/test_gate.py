"""Who may look: this machine alone, or whoever has the token; and no page of somebody else's."""

from __future__ import annotations

import pytest

from mlops_compiler.ui.gate import host_of, is_loopback
from tests.ui.conftest import visitor

EVERYWHERE, TOKEN = "0.0.0.0", "secret"  # noqa: S104 - a test's own


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765", "127.0.0.1"])
def test_this_machine_is_answered_under_its_own_names(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[", "127.0.0.1@evil.example", "192.168.0.1:8765"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/static/app.js", "/health"])
def test_a_name_of_somebody_elses_is_refused(client, host, path):
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == 421
    assert "Recipes" not in answer.text


def test_a_token_opens_and_is_taken_out_of_the_address(store):
    store.begin()
    client = visitor(store.location, host=EVERYWHERE, token=TOKEN)
    assert client.get("/").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/static/app.js").status_code == 401
    assert client.post("/health/examine", headers={"origin": "http://127.0.0.1:8765"}).status_code == 401
    opened = client.get("/recipes/churn/runs?token=secret&page=1", follow_redirects=False)
    assert opened.status_code == 303
    assert opened.headers["location"] == "/recipes/churn/runs?page=1"
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert client.get("/", headers={"host": "models.example"}).status_code == 200


def test_every_answer_forbids_what_a_page_does_not_need(store, client):
    store.begin()
    for path in ("/", "/recipes/churn", "/health", "/static/app.js", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/recipes/churn", "/recipes/churn/releases", "/health"])
def test_nothing_can_be_changed(store, client, method, path):
    store.begin()
    assert client.request(method, path, headers={"origin": "http://127.0.0.1:8765"}).status_code == 405


def test_pages_name_no_other_machine(store, client):
    store.release()
    for path in (
        "/",
        "/recipes/churn",
        "/recipes/churn/runs/run-1",
        "/recipes/churn/releases",
        "/health",
        "/static/style.css",
    ):
        text = client.get(path).text
        assert "//" not in text.replace("http://127.0.0.1:9/churn", "").replace("sqlite:///", ""), path


def test_hosts():
    assert host_of("[::1]:80") == "::1"
    assert is_loopback("localhost")
    assert is_loopback("[::1]")
    assert not is_loopback(EVERYWHERE)
