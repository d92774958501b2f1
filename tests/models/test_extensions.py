"""A plugin is known by its metadata, and imported when its name is asked for."""

from __future__ import annotations

import sys

import pytest

from mlops_compiler.extensions import Registry

GROUP = "mlops_compile.test_things"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Make distributions that announce entry points, each a module with a `THING`."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(distribution, **things):
        info = tmp_path / f"{distribution}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
        lines = [f"{name} = {distribution}_{name}:THING" for name in things]
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n" + "\n".join(lines))
        for name, code in things.items():
            monkeypatch.delitem(sys.modules, f"{distribution}_{name}", raising=False)
            (tmp_path / f"{distribution}_{name}.py").write_text(code)

    return make


def test_a_registry_is_a_mapping_in_order():
    things = Registry(GROUP, {"b": 1, "a": 2})
    assert dict(things) == {"b": 1, "a": 2}
    assert "a" in things
    assert "c" not in things
    assert len(things) == 2
    assert things.get("c") is None


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError, match="'c'"):
        Registry(GROUP, {"a": 1})["c"]


def test_a_plugin_is_imported_only_when_asked_for(install):
    install("acme", new="THING = 3")
    things = Registry(GROUP, {"a": 1})
    assert things["a"] == 1
    assert list(things) == ["a", "new"]
    assert "new" in things
    assert len(things) == 2
    assert "acme_new" not in sys.modules
    assert things["new"] == 3
    assert list(things) == ["a", "new"]


@pytest.mark.parametrize("builtin", ["a", "new"], ids=["two plugins", "a plugin and a builtin"])
def test_two_registrations_of_a_name_are_an_error(install, builtin):
    install("acme", new="THING = 3")
    if builtin == "a":
        install("other", new="THING = 4")
    with pytest.raises(ValueError, match="two registrations of 'new'"):
        list(Registry(GROUP, {builtin: 1}))


def test_a_broken_plugin_says_which_it_is(install):
    install("acme", broken="import no_such_module")
    with pytest.raises(ModuleNotFoundError) as caught:
        Registry(GROUP, {})["broken"]
    assert "the plugin 'broken'" in caught.value.__notes__[0]
