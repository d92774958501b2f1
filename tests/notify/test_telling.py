"""What is told, to whom, and how often (L-ACQ-6, L-ACQ-9)."""

from __future__ import annotations

import threading

import pytest

from mlops_compiler.notify import send as sending
from mlops_compiler.notify.addresses import Subscriber
from mlops_compiler.notify.news import News
from mlops_compiler.notify.telling import notices, tell_of
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.writer import open_writer


@pytest.fixture
def store(tmp_path):
    return open_writer(StoreLocation(url=str(tmp_path / "store")))


def news(*kinds, **facts):
    given = {"about": "intake", "recipe": "orders", "headline": "intake failed", "run": "intake-1"}
    return News(kinds=frozenset(kinds), **{**given, **facts})


def subscriber(*kinds, to, owner=None):
    return Subscriber(kinds=frozenset(kinds), to=to, owner=owner)


def failure(reason="column `amount` must lie between 0 and 100: 3 of 50 rows break that"):
    return news(
        "failure", reason=reason, code="contract-range", owner="Sales", next="mlops-compile intake recipe=orders"
    )


def success():
    return news("success", headline="took 12 rows")


def test_a_message_says_what_why_who_and_what_next(inbox, store):
    assert tell_of(failure(), [subscriber("failure", to=(("url", inbox.url),))], store, {}) == ()
    (message,) = inbox.messages
    assert message["title"] == "orders: intake failed"
    assert message["type"] == "failure"
    assert message["message"].splitlines() == [
        "intake failed",
        "reason: column `amount` must lie between 0 and 100: 3 of 50 rows break that [contract-range]",
        "recipe: orders",
        "intake: intake-1",
        "owner: Sales",
        "next: mlops-compile intake recipe=orders",
    ]


def test_the_same_failure_is_told_once_until_it_changes_or_is_over(inbox, store):
    who = [subscriber("failure", "recovery", to=(("url", inbox.url),))]
    same = failure("column `amount` must lie between 0 and 100: 4 of 61 rows break that")
    for each in (failure(), same, failure("no file matches in/*.csv"), success(), success(), failure()):
        assert tell_of(each, who, store, {}) == ()
    assert inbox.titles == [
        "orders: intake failed",
        "orders: intake failed",
        "orders: recovered: took 12 rows",
        "orders: intake failed",
    ]


def test_failures_of_runs_and_of_intakes_are_kept_apart(inbox, store):
    who = [subscriber("failure", "recovery", to=(("url", inbox.url),))]
    tell_of(failure(), who, store, {})
    tell_of(news("success", about="run", headline="run succeeded"), who, store, {})
    assert inbox.titles == ["orders: intake failed"]


def test_each_is_told_what_it_asked_for_and_once(inbox, store):
    url = ("url", inbox.url)
    who = [subscriber("release", to=(url,)), subscriber("failure", to=(url,)), subscriber("recovery", to=(url,))]
    tell_of(news("failure", "release", headline="release refused"), who, store, {})
    assert inbox.titles == ["orders: release refused"]


def test_a_secret_is_read_where_it_is_used_and_written_nowhere(inbox, store):
    who = [subscriber("failure", to=(("secret", "HOOK"), ("secret", "GONE")))]
    (warning,) = tell_of(failure(), who, store, {"HOOK": inbox.url})
    assert warning.headline == "the secret `GONE` could not be told"
    assert [note.text for note in warning.notes] == ["it is not in the environment"]
    assert len(inbox.messages) == 1
    (event,) = notices(store, "orders")
    assert event.payload["targets"] == {"the secret `HOOK`": "", "the secret `GONE`": "is not in the environment"}
    kept = b"".join(path.read_bytes() for path in store.location.folder.rglob("*") if path.is_file())
    assert b"hook-4711" not in kept
    assert str(inbox.port).encode() not in kept


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        pytest.param("nonsense://x", "it is no address that apprise knows", id="unknown"),
        pytest.param("json://127.0.0.1:1/closed", "it did not take the message", id="closed"),
    ],
)
def test_a_target_that_cannot_be_told_is_a_warning(store, address, reason, capfd):
    (warning,) = tell_of(failure(), [subscriber("failure", to=(("secret", "HOOK"),))], store, {"HOOK": address})
    assert (warning.code, warning.is_error) == ("notify-failed", False)
    assert [note.text for note in warning.notes] == [reason]
    assert address not in "".join(capfd.readouterr())


def test_a_failure_that_nobody_took_is_told_again(inbox, store):
    who = [subscriber("failure", to=(("url", inbox.url),))]
    inbox.status = 500
    assert len(tell_of(failure(), who, store, {})) == 1
    inbox.status = 200
    assert tell_of(failure(), who, store, {}) == ()
    assert tell_of(failure(), who, store, {}) == ()
    assert len(inbox.messages) == 2


def test_a_server_that_hangs_holds_nobody(inbox, store, monkeypatch):
    monkeypatch.setattr(sending, "PATIENCE", 0.2)
    inbox.hold = threading.Event()
    (warning,) = tell_of(failure(), [subscriber("failure", to=(("url", inbox.url),))], store, {})
    assert [note.text for note in warning.notes] == ["it did not answer within 0.2 seconds"]
    assert inbox.messages == []


def test_a_password_in_an_address_is_not_shown():
    who = subscriber("failure", to=(("url", "mailtos://jo:secret@mail.example.com:587/?to=a@b.c"),))
    (address,) = who.addresses({})
    assert address.shown == "mailtos://mail.example.com:587"
    assert "secret" not in repr(address)


@pytest.mark.parametrize(
    ("contact", "server", "url"),
    [
        pytest.param(
            "mailto:jo@example.com", "mailtos://u:p@h?from=x", "mailtos://u:p@h?from=x&to=jo%40example.com", id="mail"
        ),
        pytest.param(
            "jo@example.com", "mailto://u:p@h/other@b.c?to=x", "mailto://u:p@h?to=jo%40example.com", id="bare"
        ),
        pytest.param("slack://a/b/c", "json://h", "slack://a/b/c", id="service"),
        pytest.param("mailto:jo@example.com", "json://h", None, id="no server"),
    ],
)
def test_the_owner_is_told_too(contact, server, url):
    """L-ACQ-9: by mail through the mail server among the targets, or where else the contact says."""
    first, owner = subscriber("failure", to=(("url", server),), owner=contact).addresses({})
    assert first.url == server
    assert owner.url == url
    assert bool(owner.lack) == (url is None)


def test_what_is_told_of_test_keeps_nothing_of_production_from_being_told(inbox, store):
    who = [subscriber("alert", "recovery", to=(("url", inbox.url),))]
    for environment in ("test", "production", "production"):
        alert = news("alert", about="monitor", headline="alert: drift", same="drift", environment=environment)
        assert tell_of(alert, who, store, {}) == ()
    assert tell_of(news(about="monitor", headline="quiet", environment="test"), who, store, {}) == ()
    assert [message["title"] for message in inbox.messages] == [
        "orders in test: alert: drift",
        "orders in production: alert: drift",
        "orders in test: recovered: quiet",
    ]
    assert "environment: production" in inbox.messages[1]["message"]
