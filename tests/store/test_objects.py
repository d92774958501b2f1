"""Objects are whole or not there, and what is read is what was put."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.objects import digest_of, open_objects

DAY = 24 * 3600


@pytest.fixture(params=["folder", "file URL", "memory URL"])
def objects(request, tmp_path):
    urls = {
        "folder": str(tmp_path / "store"),
        "file URL": f"file://{tmp_path}/store",
        "memory URL": f"memory://{tmp_path.name}",
    }
    return open_objects(StoreLocation(url=urls[request.param]))


@pytest.fixture
def folder(tmp_path):
    return open_objects(StoreLocation(url=str(tmp_path)))


def code_of(refused):
    return refused.value.diagnostics[0].code


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(content=st.binary(max_size=2000))
def test_what_is_put_is_got(objects, content):
    digest = objects.put(content)
    assert digest == digest_of(content)
    assert objects.get(digest) == content
    assert objects.exists(digest)
    assert objects.put(content) == digest


def test_what_was_not_put_is_missing(objects):
    assert not objects.exists("0" * 64)
    assert objects.local_path("0" * 64) is None
    with pytest.raises(EngineError) as refused:
        objects.get("0" * 64)
    assert code_of(refused) == "artifact-missing"


def test_a_copy_is_laid_under_a_readable_name(objects):
    assert objects.publish("reports/churn.html", b"first").endswith("reports/churn.html")
    assert objects.publish("reports/churn.html", b"second").endswith("reports/churn.html")
    assert objects.sweep() == 0


@pytest.mark.parametrize("damage", [b"", b"other", b"content with more"], ids=["emptied", "replaced", "longer"])
def test_a_damaged_object_is_never_given_out(folder, damage):
    digest = folder.put(b"content")
    folder.local_path(digest).write_bytes(damage)
    with pytest.raises(EngineError, match=digest[:12]) as refused:
        folder.get(digest)
    assert code_of(refused) == "artifact-corrupt"


def test_an_object_that_cannot_be_read_says_so(folder, tmp_path):
    (tmp_path / "objects" / "00" / ("0" * 62)).mkdir(parents=True)
    with pytest.raises(EngineError) as refused:
        folder.get("0" * 64)
    assert code_of(refused) == "artifact-unreadable"


def test_a_writer_that_is_killed_leaves_no_object(folder, tmp_path, monkeypatch):
    def killed(_number):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.put(b"half")
    assert not folder.exists(digest_of(b"half"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_object_has_its_name_only_when_it_is_whole(folder, tmp_path, monkeypatch):
    seen = []
    synced = os.fsync

    def look(number):
        seen.append(folder.exists(digest_of(b"whole")))
        synced(number)

    monkeypatch.setattr(os, "fsync", look)
    digest = folder.put(b"whole")
    assert seen == [False]
    assert folder.exists(digest)


def test_many_writers_of_one_object_agree(folder, tmp_path):
    content = bytes(range(256)) * 500
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(folder.put, [content] * 32))
    assert digests == {digest_of(content)}
    assert folder.get(digest_of(content)) == content
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_the_sweep_takes_what_is_stale_and_nothing_else(folder, tmp_path):
    digest = folder.put(b"kept")
    ages = {"stale": 2 * DAY, "older": 30 * DAY, "fresh": 60}
    for name, age in ages.items():
        path = tmp_path / "tmp" / name
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    assert folder.sweep() == 2
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["fresh"]
    assert folder.get(digest) == b"kept"
    assert folder.sweep() == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(OSError(28, "No space left on device"), "store-full", id="full"),
        pytest.param(PermissionError(13, "Permission denied"), "store-unwritable", id="forbidden"),
        pytest.param(OSError(30, "Read-only file system"), "store-unwritable", id="read-only"),
    ],
)
def test_a_place_that_takes_nothing_says_why(folder, monkeypatch, error, code):
    def fail(_number):
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(EngineError) as refused:
        folder.put(b"content")
    assert code_of(refused) == code
