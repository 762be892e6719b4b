"""A bank's receiver of events: keeps what was told, answers as it is told to."""

import json
import threading
from base64 import b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import standardwebhooks

PATIENCE = 30
KEY = bytes(range(32))
SECRET = "whsec_" + b64encode(KEY).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of senders that were killed."""


class Hook:
    """Verifies every message, and takes it with `status`; may be closed and opened again."""

    def __init__(self) -> None:
        self.status = 204
        self.events: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self._news = threading.Condition()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/events"

    def open(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), self._handler())
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        assert self.faults == []

    def types(self, client_id: str) -> list[str]:
        """Return the types of what was told of a client, in the order it was taken."""
        return [e["type"] for e in self.events if e["data"]["client_id"] == client_id]

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait until something is so."""
        with self._news:
            assert self._news.wait_for(happened, PATIENCE), self.events

    def take(self, body: bytes, fields: dict[str, str]) -> int:
        with self._news:
            try:
                event = standardwebhooks.Webhook(SECRET).verify(body, fields)
            except standardwebhooks.WebhookVerificationError as exc:
                self.faults.append(str(exc))
                return 401
            if self.status == 204:
                self.events.append(event)
                self.ids.append(fields["webhook-id"])
            self._news.notify_all()
            return self.status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the sender was killed
                    self.close_connection = True
                    return
                fields = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(hook.take(body, fields))
                self.send_header("Content-Length", "0")
                if hook._server is None:
                    self.close_connection = True
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def write_secret(path: Path, text: str = SECRET) -> Path:
    """Write a secret as the server wants to find it."""
    path.write_text(json.dumps(text)[1:-1] + "\n")
    path.chmod(0o600)
    return path
