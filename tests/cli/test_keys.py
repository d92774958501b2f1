"""API keys from the command line: shown once, listed without their secret, replaced, ended; all of it recorded."""

from __future__ import annotations

import json
import stat

import pytest

from mlops_compiler.commands.keys import first_key
from mlops_compiler.runtime.engine import keep_token_private
from mlops_compiler.serving.keys import KeyRing
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.writer import open_writer


@pytest.fixture
def keys(small):
    return lambda *words: small.main("keys", *words, "recipe=small")


def made(keys, *words):
    return json.loads(keys("create", *words, "--json").out)


def test_a_key_is_shown_once_and_opens_what_it_says(keys, small):
    key = made(keys, "name=crm", "roles=predict,label")
    found = KeyRing(lambda: small.store.keys("small", "development")).find(key["secret"])
    assert (found.name, found.roles) == ("crm", ["predict", "label"])
    listed = keys("list")
    assert "crm" in listed.out
    assert key["secret"] not in listed.out
    assert key["secret"].split("_", 2)[2] not in (small.folder / "metadata.db").read_bytes().decode("latin-1")
    assert keys("create", "name=crm").code == 2


def test_a_key_is_replaced_with_grace_and_ended(keys, small):
    old = made(keys, "name=crm")
    new = json.loads(keys("rotate", "crm", "grace=1h", "--json").out)
    ring = KeyRing(lambda: small.store.keys("small", "development"))
    assert ring.find(old["secret"]).expires is not None
    assert ring.find(new["secret"]).expires is None
    assert keys("revoke", "crm").code == 2  # two of that name are open
    assert keys("revoke", new["key"]).code == 0
    ring.look()
    assert ring.find(new["secret"]) is None
    assert ring.find(old["secret"]) is not None
    actions = [entry.action for entry in small.store.audit("small")]
    assert actions == ["key-revoke", "key-rotate", "key-create"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create"], "needs `name=...`"),
        (["create", "name=x", "roles=admin"], "`operate`; not `admin`"),
        (["create", "name=x", "expires=soon"], "a duration is a number"),
        (["create", "name=mlops-compile"], "already"),
        (["creat", "name=x"], "did you mean `create`"),
        (["revoke", "nobody"], "no open keys"),
        (["rotate"], "no key is named"),
    ],
)
def test_refuses(keys, words, told):
    said = keys(*words)
    assert said.code == 2
    assert told in said.err


def test_a_service_that_asks_has_a_first_key(small):
    location = StoreLocation(url=str(small.folder))
    shown = first_key(("small", "development"), location)
    assert KeyRing(lambda: open_writer(location).keys("small", "development")).find(shown).roles == [
        "predict",
        "label",
        "operate",
    ]
    assert first_key(("small", "development"), location) is None


def test_a_key_of_test_opens_nothing_in_production(keys, small):
    key = made(keys, "name=crm", "environment=test")
    assert KeyRing(lambda: small.store.keys("small", "test")).find(key["secret"]).name == "crm"
    assert KeyRing(lambda: small.store.keys("small", "production")).find(key["secret"]) is None
    assert keys("revoke", "crm", "environment=production").code == 2
    assert keys("create", "name=crm", "environment=production").code == 0
    assert [item["key"] for item in json.loads(keys("--json", "environment=test").out)] == [key["key"]]
    assert "crm  test" in keys("list", "environment=test").out
    assert {entry.environment for entry in small.store.audit("small")} == {"test", "production"}


def test_the_token_of_engines_is_its_owners_alone(tmp_path, monkeypatch):
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    token = tmp_path / ".ray" / "auth_token"
    keep_token_private(tmp_path)
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert len(first := token.read_text()) == 64
    token.chmod(0o644)
    keep_token_private(tmp_path)
    assert (stat.S_IMODE(token.stat().st_mode), token.read_text()) == (0o600, first)
    assert [path.name for path in token.parent.iterdir()] == ["auth_token"]
