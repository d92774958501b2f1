"""Releases are numbered 1, 2, 3, ... for each recipe; the same work never gets a second number."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.store.database import open_database
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.writer import StoreWriter, open_writer

PROCESS = """\
import sys
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.writer import open_writer
store = open_writer(StoreLocation(url=sys.argv[1]))
for work in sys.argv[2].split(","):
    store.register_release(
        recipe="churn", fingerprint=work, manifest="m", metrics={}, run_id=sys.argv[3], notes=""
    )
"""


def register(store, fingerprint, recipe="churn"):
    return store.register_release(
        recipe=recipe, fingerprint=fingerprint, manifest="m" * 64, metrics={"roc_auc": 0.8}, run_id="r1", notes="näher"
    )


def is_dense(releases):
    return [release.number for release in releases] == list(range(len(releases), 0, -1))


def test_the_newest_release_is_given_where_no_number_is(store, location):
    first, second = register(store, "one"), register(store, "two")
    reader = open_reader(location)
    assert (first.number, second.number) == (1, 2)
    assert reader.release("churn") == second
    assert reader.release("churn", 1) == first
    assert reader.release("churn", 3) is None
    assert reader.release("other") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(works=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("uvwxyz")), max_size=12))
def test_numbers_are_dense_and_follow_the_first_registration(tmp_path_factory, works):
    store = open_writer(StoreLocation(url=str(tmp_path_factory.mktemp("releases"))))
    given_numbers = {}
    for recipe, work in works:
        number = register(store, work, recipe).number
        assert given_numbers.setdefault((recipe, work), number) == number
    for recipe in "ab":
        assert is_dense(store.releases(recipe))
        assert len(store.releases(recipe)) == len({work for name, work in works if name == recipe})


def test_threads_with_connections_of_their_own_never_share_a_number(location, store):
    def one(number):
        writer = StoreWriter(location, open_database(location))
        return [register(writer, f"work {(number + step) % 6}") for step in range(3)]

    with ThreadPoolExecutor(6) as pool:
        made = [release for some in pool.map(one, range(6)) for release in some]
    assert is_dense(store.releases("churn"))
    assert len({(release.fingerprint, release.number) for release in made}) == len(store.releases("churn")) == 6


@pytest.mark.parametrize("begun", [False, True], ids=["a new store", "a store that is there"])
def test_processes_never_share_a_number(location, begun):
    if begun:
        open_writer(location)
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, location.url, ",".join(works), name])
        for name, works in {"r1": "abcd", "r2": "cdef", "r3": "fedc"}.items()
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    releases = open_reader(location).releases("churn")
    assert is_dense(releases)
    assert sorted(release.fingerprint for release in releases) == list("abcdef")
