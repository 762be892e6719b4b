"""The peers under load: plain RFC 7591 registration servers, over HTTP, without signatures."""

import json
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import repeat
from pathlib import Path

from bench.load import CREATED, Line
from bench.processes import UnmeasuredError, free_port, running
from bench.system import CONNECTIONS, Running

PEERS = Path(__file__).parent / "peers"
PROGRAMS = PEERS.parents[1] / ".peers" / "bin"
METADATA = json.dumps(
    {
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
    },
    separators=(",", ":"),
).encode()
_TOKEN = secrets.token_urlsafe(32)


class OidcProvider:
    """npm oidc-provider with its own memory adapter."""

    name = "oidc-provider"
    label = "npm oidc-provider"
    does = "token; in memory"
    workers = 1
    connections = CONNECTIONS

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run it on Node.js, after what its lock pins was installed."""
        if not shutil.which("node"):
            raise UnmeasuredError("Node.js is not installed")
        if not (PEERS / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--silent"], cwd=PEERS, check=True)
        port = free_port()
        with running(
            ["node", PEERS / "oidc_provider.mjs", str(port)],
            port=port,
            log=folder / "log",
            environment={"TOKEN": _TOKEN, "NODE_ENV": "production"},
        ) as process:
            yield Running(process, port, plain_lines("/reg", port, connections))

    def count_stored(self, folder: Path) -> None:
        """Return None: it forgets when it stops."""


class McpSdk:
    """The registration handler of PyPI mcp, on uvicorn, with a provider that keeps a dictionary."""

    name = "mcp"
    label = "PyPI mcp (SDK)"
    does = "no token; in memory"
    workers = 1
    connections = CONNECTIONS

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run it in the peers' environment."""
        port = free_port()
        with running(
            [_program("python"), PEERS / "mcp_app.py", str(port)],
            port=port,
            log=folder / "log",
            environment={},
        ) as process:
            yield Running(process, port, plain_lines("/register", port, connections))

    def count_stored(self, folder: Path) -> None:
        """Return None: it forgets when it stops."""


class Authlib:
    """PyPI Authlib in Flask, run by gunicorn with one worker of its default kind."""

    name = "authlib"
    label = "PyPI Authlib"
    does = "token; SQLite, durable"
    workers = 1
    connections = CONNECTIONS

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run it in the peers' environment."""
        port = free_port()
        command: list[str | Path] = [
            _program("gunicorn"),
            *("--chdir", PEERS, "--bind", f"127.0.0.1:{port}", "--workers", "1"),
        ]
        with running(
            [*command, "authlib_app:app"],
            port=port,
            log=folder / "log",
            environment={"TOKEN": _TOKEN, "DATABASE": str(_database(folder))},
        ) as process:
            yield Running(process, port, plain_lines("/register", port, connections))

    def count_stored(self, folder: Path) -> int | None:
        """Return how many clients its database holds."""
        with closing(sqlite3.connect(_database(folder))) as database:
            return int(database.execute("SELECT count(*) FROM clients").fetchone()[0])


def _program(name: str) -> Path:
    if not (PROGRAMS / name).exists():
        raise UnmeasuredError("the peers' environment is missing; `make bench` makes it")
    return PROGRAMS / name


def _database(folder: Path) -> Path:
    return folder / "authlib.db"


def plain_lines(path: str, port: int, connections: int, *, expected: int = CREATED) -> list[Line]:
    """Return connections that send the same body again and again."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {_TOKEN}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(METADATA)}\r\n\r\n"
    )
    request = head.encode() + METADATA
    return [Line(repeat(request), expected=expected) for _ in range(connections)]
