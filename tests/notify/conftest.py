"""A server of this machine that takes what is sent to it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Inbox:
    """What came, and how to answer it."""

    def __init__(self):
        self.messages, self.status, self.hold = [], 200, None
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if inbox.hold is not None:
                    inbox.hold.wait()
                inbox.messages.append(body | {"path": self.path})
                self.send_response(inbox.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    @property
    def url(self):
        return f"json://127.0.0.1:{self.port}/hook-4711"

    @property
    def titles(self):
        return [message["title"] for message in self.messages]


@pytest.fixture
def inbox():
    made = Inbox()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    if made.hold is not None:
        made.hold.set()
    made.server.shutdown()
    made.server.server_close()
    thread.join()
