"""L-ACQ-1: sources in an object store, behind a server that speaks S3 and runs for these tests alone."""

from __future__ import annotations

import json
import logging
import urllib.request

import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.places import open_place
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.objects import open_objects
from mlops_compiler.tables import remote
from mlops_compiler.tables.table import contents, digest, head, is_here, rows


@pytest.fixture(scope="module")
def s3():
    """Start a server with an empty bucket; give its address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT")).close()
    yield url
    server.stop()


@pytest.fixture
def bucket(s3, tmp_path, monkeypatch):
    """Let the environment say where the store is; give its file system."""
    said = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    files, _ = open_place("s3://bucket/")
    return files


def csv(path):
    return Read(kind="csv", path=f"s3://bucket/{path}", null_values=("",))


def test_files_are_read_as_those_of_a_folder(bucket, tmp_path):
    bucket.pipe_file("bucket/plain/a.csv", b"x,y\n1,a\n2,\n")
    assert is_here(csv("plain/a.csv"), tmp_path)
    assert head(csv("plain/a.csv"), tmp_path) == {"x": "int", "y": "text"}
    assert rows(csv("plain/a.csv"), tmp_path).rows() == [("1", "a"), ("2", None)]
    assert contents(csv("plain/a.csv"), tmp_path) == ()


def test_a_pattern_is_all_that_match_in_order(bucket, tmp_path):
    for month in (2, 1):
        pl.DataFrame({"month": [month], "sold": [month * 1.5]}).write_parquet(tmp_path / "part.parquet")
        bucket.pipe_file(f"bucket/sales/2024-0{month}.parquet", (tmp_path / "part.parquet").read_bytes())
    bucket.pipe_file("bucket/sales/readme.txt", b"no table")
    read = Read(kind="parquet", path="s3://bucket/sales/*.parquet")
    assert head(read, tmp_path) == {"month": "int", "sold": "float"}
    assert rows(read, tmp_path).rows() == [(1, 1.5), (2, 3.0)]


def test_an_object_is_fetched_once_until_it_is_another(bucket, tmp_path, monkeypatch):
    bucket.pipe_file("bucket/kept/a.csv", b"x\n1\n")
    before = digest(csv("kept/a.csv"), tmp_path, lambda _: None)
    (place,) = remote.fetch(csv("kept/a.csv"))
    stamp = place.stat().st_mtime_ns
    assert remote.fetch(csv("kept/a.csv")) == (place,)
    assert place.stat().st_mtime_ns == stamp
    bucket.pipe_file("bucket/kept/a.csv", b"x\n2\n")
    assert digest(csv("kept/a.csv"), tmp_path, lambda _: None) != before
    assert rows(csv("kept/a.csv"), tmp_path).rows() == [("2",)]
    assert not place.exists(), "what an object was is not kept"


def test_what_is_not_there_is_said(bucket, tmp_path, monkeypatch):
    assert not is_here(csv("nothing.csv"), tmp_path)
    assert digest(csv("nothing.csv"), tmp_path, lambda _: None) is None
    with pytest.raises(DataError, match=r"no file matches s3://bucket/nothing\.csv"):
        rows(csv("nothing.csv"), tmp_path)
    unknown = Read(kind="csv", path="gopher://bucket/a.csv")
    with pytest.raises(DataError, match="cannot be reached"):
        rows(unknown, tmp_path)


def test_a_recipe_takes_its_rows_in(bucket, small):
    bucket.pipe_file("bucket/small/small.csv", small.rows.read_bytes())
    small.edit("path: data/small.csv", "path: s3://bucket/small/small.csv")
    said = small.main("check", "recipe=small")
    assert said.code == 0, said.err
    found = json.loads(small.main("explore", "recipe=small", "--json").out)
    assert found["rows"] == small.rows.read_text().count("\n") - 1


def test_a_store_and_its_objects_may_be_there(bucket):
    objects = open_objects(StoreLocation(url="s3://bucket/store"))
    name = objects.put(b"a model")
    assert objects.exists(name)
    assert objects.get(name) == b"a model"
    objects.discard(name)
    assert not objects.exists(name)
