"""Where the tour takes place: a folder with a recipe and its table, commands typed in it, and a hook that is told."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import SystemRandom
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLUMNS = 110
PAUSE = 0.5
"""Seconds between two looks at what is waited for."""
PATIENCE = 120.0
"""Seconds that anything of the tour is waited for, at most."""


def free_port() -> int:
    """Find a port that nobody listens on, below those that the system gives to connections meanwhile."""
    for port in SystemRandom().sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.socket() as taken:
            taken.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port was found")


class Inbox:
    """A web hook on this machine that keeps what it is told, as a chat or a pager would."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        messages = self.messages

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """Where it is, in the words of the notification library."""
        return f"json://127.0.0.1:{self._server.server_port}"

    def about(self, words: str) -> str:
        """Give the one message that has these words in its title or text.

        Raises:
            AssertionError: None has, or several have.
        """
        found = [f"{item['title']}\n{item['message']}" for item in self.messages]
        (one,) = [text for text in found if words in text]
        return one

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(kw_only=True)
class Place:
    """A working folder in which commands are typed.

    Attributes:
        root: The folder.
        out: What is done with each line that a reader sees.
        port: Where the recipe's service listens.
    """

    root: Path
    out: Callable[[str], object] = print
    port: int = field(default_factory=free_port)

    def say(self, text: str) -> None:
        """Tell the reader what happens."""
        for line in textwrap.wrap(" ".join(text.split()), COLUMNS):
            self.out(line)

    def show(self, text: str, lines: int = 30) -> None:
        """Show what somebody would see, down to so many lines."""
        every = [line.rstrip() for line in text.splitlines() if line.strip()]
        for line in every[:lines]:
            self.out(f"    {line}")
        if len(every) > lines:
            self.out(f"    ... ({len(every) - lines} more lines)")

    def type(self, line: str, *, by: str = "ann", code: int = 0, lines: int = 30, result: bool = False) -> str:
        """Type a command and give what it says.

        Args:
            line: The words after `mlops-compile`.
            by: Who types it.
            code: The exit code that it must have.
            lines: So many lines of its output are shown.
            result: Whether its result alone is shown, and not what it says on the way.

        Raises:
            AssertionError: It ended with another code.
        """
        self.out(f"  {by}$ mlops-compile {line}")
        done = self.attempt(line, by)
        said = done.stderr + done.stdout
        self.show(done.stdout if result else said, lines)
        assert done.returncode == code, f"{line} ended with {done.returncode}, not {code}\n{said}"
        return said

    def ask(self, line: str) -> Any:
        """Type a command with `--json`, unseen, and give what it answers.

        Raises:
            AssertionError: It did not end well.
        """
        done = self.attempt(f"{line} --json", "ann")
        assert done.returncode == 0, f"{line} ended with {done.returncode}\n{done.stderr}{done.stdout}"
        return json.loads(done.stdout)

    def attempt(self, line: str, by: str) -> subprocess.CompletedProcess[str]:
        """Type a command, unseen, whatever comes of it."""
        return subprocess.run(
            [sys.executable, "-m", "mlops_compiler", *shlex.split(line)],
            cwd=self.root,
            env={**os.environ, "MLOPS_ACTOR": by, "COLUMNS": str(COLUMNS), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def wait_for(self, seen: Callable[[], bool], what: str) -> None:
        """Look again and again, until something is there.

        Raises:
            AssertionError: It has not come in time.
        """
        end = time.monotonic() + PATIENCE
        while not seen():
            assert time.monotonic() < end, f"{what}: not within {PATIENCE:.0f} s"
            time.sleep(PAUSE)
