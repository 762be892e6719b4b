"""The peers under load: plain RFC 7591 registration servers, over HTTP, without signatures."""

import json
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import repeat
from pathlib import Path

from bench.load import Line
from bench.processes import free_port, running
from bench.system import Running

_HERE = Path(__file__).parent / "peers"
_TOKEN = secrets.token_urlsafe(32)
_METADATA = {
    "client_name": "Acme Paiements",
    "redirect_uris": ["https://tpp.example/callback", "https://tpp.example/other"],
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "contacts": ["psd2@tpp.example"],
    "client_uri": "https://tpp.example",
    "logo_uri": "https://tpp.example/logo.png",
    "tos_uri": "https://tpp.example/terms",
    "policy_uri": "https://tpp.example/privacy",
}


class OidcProvider:
    """npm oidc-provider with its own memory adapter."""

    name = "oidc-provider"
    label = "npm oidc-provider"
    does = "token; in memory"

    def __init__(self) -> None:
        """Install what its lock pins."""
        if not (_HERE / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--silent"], cwd=_HERE, check=True)

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run it on Node.js."""
        port = free_port()
        with running(
            ["node", _HERE / "oidc_provider.mjs", str(port)],
            port=port,
            log=folder / "log",
            environment={"TOKEN": _TOKEN, "NODE_ENV": "production"},
        ) as process:
            yield Running(process, port, _lines("/reg", port, connections))

    def count_stored(self, folder: Path) -> None:
        """Return None: it forgets when it stops."""


class Authlib:
    """PyPI Authlib in Flask, run by gunicorn with one worker of its default kind."""

    name = "authlib"
    label = "PyPI Authlib"
    does = "token; SQLite, durable"

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run it in the peers' environment."""
        port = free_port()
        gunicorn = _HERE.parents[1] / ".peers" / "bin" / "gunicorn"
        command: list[str | Path] = [
            gunicorn,
            "--chdir",
            _HERE,
            "--bind",
            f"127.0.0.1:{port}",
            "--workers",
            "1",
        ]
        with running(
            [*command, "authlib_app:app"],
            port=port,
            log=folder / "log",
            environment={"TOKEN": _TOKEN, "DATABASE": str(_database(folder))},
        ) as process:
            yield Running(process, port, _lines("/register", port, connections))

    def count_stored(self, folder: Path) -> int | None:
        """Return how many clients its database holds."""
        with closing(sqlite3.connect(_database(folder))) as database:
            return int(database.execute("SELECT count(*) FROM clients").fetchone()[0])


def _database(folder: Path) -> Path:
    return folder / "authlib.db"


def _lines(path: str, port: int, connections: int) -> list[Line]:
    body = json.dumps(_METADATA, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {_TOKEN}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return [Line(repeat(head.encode() + body)) for _ in range(connections)]
