"""The test QTSP's web site over plain HTTP, in a thread of the bank's process."""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from cryptography import x509

from enrol.errors import EnrolError
from enrol.sandbox.folder import open_sandbox
from enrol.sandbox.responder import Page, Responder

LONGEST_REQUEST: Final = 16 * 1024
_PATIENCE: Final = 5.0


class Site:
    """What the QTSP of a sandbox folder answers, by a clock; it is opened when first asked."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._opening = threading.Lock()

    def get(self, path: str) -> Page | None:
        """Return what a GET is answered."""
        return self._opened.get(path, at=self._clock())

    def post(self, path: str, body: bytes) -> Page | None:
        """Return what a POST is answered."""
        return self._opened.post(path, body, at=self._clock())

    @property
    def _opened(self) -> Responder:
        with self._opening:
            return self._responder

    @cached_property
    def _responder(self) -> Responder:
        return Responder(open_sandbox(self._folder).authority, crl=self._crl)

    def _crl(self) -> x509.CertificateRevocationList:
        return x509.load_pem_x509_crl((self._folder / "ca.crl").read_bytes())


def serve_site(site: Site, address: tuple[str, int]) -> tuple[str, int]:
    """Serve a site until the process ends, and return where; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            self._answer(lambda: site.get(self.path))

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LONGEST_REQUEST:
                self.send_error(400)
                return
            body = self.rfile.read(int(length))
            self._answer(lambda: site.post(self.path, body))

        def _answer(self, make: Callable[[], Page | None]) -> None:
            try:
                page = make()
            except (EnrolError, OSError, ValueError):  # a folder that is being changed
                page = None
            if page is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.content)))
            self.end_headers()
            self.wfile.write(page.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Say nothing: the log is the bank's."""

    server = ThreadingHTTPServer(address, Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="qtsp-site", daemon=True).start()
    host, port = server.server_address[:2]
    return str(host), int(port)
