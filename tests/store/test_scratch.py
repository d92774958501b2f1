"""Work in progress is there whole or not at all."""

from __future__ import annotations

import pytest

from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.scratch import open_scratch


@pytest.mark.parametrize("url", ["{folder}/store", "file://{folder}/store", "memory://{name}"])
def test_what_is_kept_is_replaced_and_removed(tmp_path, url):
    location = StoreLocation(url=url.format(folder=tmp_path, name=tmp_path.name), database=f"sqlite:///{tmp_path}/m.db")
    scratch = open_scratch(location)
    assert scratch.get("a" * 64) is None
    scratch.remove("a" * 64)
    scratch.put("a" * 64, b"first")
    scratch.put("a" * 64, b"second")
    scratch.put("b" * 64, b"other")
    assert open_scratch(location).get("a" * 64) == b"second"
    scratch.remove("a" * 64)
    assert scratch.get("a" * 64) is None
    assert scratch.get("b" * 64) == b"other"


def test_a_write_that_fails_leaves_what_was(tmp_path, monkeypatch):
    scratch = open_scratch(StoreLocation(url=str(tmp_path)))
    scratch.put("a", b"first")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("no disk")))
    with pytest.raises(Exception, match="cannot be written"):
        scratch.put("a", b"second")
    assert scratch.get("a") == b"first"
    assert len(list((tmp_path / "tmp").iterdir())) == 1
