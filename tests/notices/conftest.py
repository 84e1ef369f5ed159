"""A mail server and a web server on loopback, which keep what they are sent, and may refuse it."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller


class Mailbox:
    """What a mail server took; while there are ``answers`` they are given instead, one a mail."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.mails: list[Any] = []
        self.answers: list[str] = []
        self.url = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a mail."""
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(envelope)
        return "250 taken"

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take all but one."""
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 ok"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server."""
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.url = f"smtp://127.0.0.1:{port}"
    yield box
    controller.stop()


class Ear:
    """What a web server was sent; it gives these statuses first, then 204."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.host = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}/hook?to=desk"


@pytest.fixture
def ear() -> Iterator[Ear]:
    """A web server."""
    one = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            one.heard.append((self.path, dict(self.headers), body))
            self.send_response(one.statuses.pop(0) if one.statuses else 204)
            self.send_header("Location", f"http://{one.host}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.host = f"127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield one
    server.shutdown()
    thread.join()
    server.server_close()
