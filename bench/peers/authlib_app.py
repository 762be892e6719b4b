"""PyPI Authlib as a registration server: Flask, SQLite, plain RFC 7591 bodies.

Run by gunicorn in the peers' environment; `DATABASE` is the file, `TOKEN` the initial access
token. As durable as Enrol: WAL, ``synchronous=FULL``, one commit before each answer.
"""

import hashlib
import os
import sqlite3

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from flask import Flask, json, request

_SCHEMA = """
CREATE TABLE IF NOT EXISTS clients (
    client_id TEXT PRIMARY KEY, issued_at INTEGER NOT NULL,
    info TEXT NOT NULL, metadata TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (token_hash BLOB PRIMARY KEY, scope TEXT NOT NULL);
"""


def _open_database() -> sqlite3.Connection:
    connection = sqlite3.connect(os.environ["DATABASE"], isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(_SCHEMA)
    connection.execute(
        "INSERT OR IGNORE INTO tokens VALUES (?, 'register')", (_hash(os.environ["TOKEN"]),)
    )
    return connection


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class _Registration(ClientRegistrationEndpoint):
    def authenticate_token(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = database.execute(
            "SELECT scope FROM tokens WHERE token_hash = ?", (_hash(token),)
        ).fetchone()
        return found[0] if scheme.lower() == "bearer" and found else None

    def save_client(self, client_info, client_metadata, request):  # noqa: ARG002
        row = (
            client_info["client_id"],
            client_info["client_id_issued_at"],
            json.dumps(client_info),
            json.dumps(client_metadata),
        )
        database.execute("INSERT INTO clients VALUES (?, ?, ?, ?)", row)
        return client_info["client_id"]

    def get_server_metadata(self):
        return {}


database = _open_database()
app = Flask(__name__)
server = AuthorizationServer(app, query_client=None, save_token=None)
server.register_endpoint(_Registration)


@app.post("/register")
def register():
    """Answer one registration."""
    return server.create_endpoint_response(_Registration.ENDPOINT_NAME, request)
