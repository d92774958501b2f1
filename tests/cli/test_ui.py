"""`mlops-compile ui` as a process: it says where it is, answers, refuses a port that is taken, and ends as it is told to."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from mlops_compiler.cli import main

USAGE, DONE = 2, 0


@contextmanager
def running(folder, *words):
    """Run the command in a process of its own, until the block ends."""
    command = [sys.executable, "-m", "mlops_compiler.cli", "ui", "port=0", *words]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def asked(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_it_says_where_it_is_answers_and_ends_cleanly(tmp_path, ending):
    with running(tmp_path, "--no-browser") as process:
        said = process.stdout.readline()
        assert said.startswith(f"the dashboard of {tmp_path}/.mlops is at http://127.0.0.1:")
        assert process.stdout.readline() == "end it with Ctrl-C\n"
        url = re.search(r"http://\S+", said).group()
        assert "There is no store here yet" in asked(url)
        process.send_signal(ending)
        out, err = process.communicate(timeout=60)
        assert process.returncode == DONE
        assert (out, err) == ("", "")
    assert list(tmp_path.iterdir()) == [], "looking makes no store"


def test_elsewhere_it_wants_a_token_and_data_are_printed_as_data(tmp_path):
    with running(tmp_path, "host=0.0.0.0", "--json") as process:
        lines = [process.stdout.readline()]
        while lines[-1] != "}\n":
            lines.append(process.stdout.readline())
        told = json.loads("".join(lines))
        assert told["pid"] == process.pid
        bare, _, token = told["url"].partition("?token=")
        assert len(token) > 20
        with pytest.raises(urllib.error.HTTPError, match="401"):
            asked(bare)
        cookie = {"cookie": f"mlops_compile_ui={token}"}
        assert "There is no store here yet" in asked(bare, **cookie)


def test_a_port_that_is_taken_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["ui", f"port={port}", "--no-browser"]) == USAGE
    error = capsys.readouterr().err
    assert f"error[port-in-use]: something else listens at 127.0.0.1:{port}" in error
    assert f"mlops-compile ui port={port + 1}" in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["port=http"], "`port` takes a whole number, not 'http'"),
        (["port=70000"], "there is no port 70000"),
        (["host=nowhere.invalid"], "nothing can listen at nowhere.invalid:8765"),
        (["--browser"], "--browser"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert main(["ui", *words]) == USAGE
    told = capsys.readouterr()
    assert said in told.err + told.out
    assert "Traceback" not in told.err
