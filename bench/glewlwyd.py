"""Glewlwyd under load: Debian's package, unpacked and not installed, with its OpenID plugin."""

import gzip
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.load import OK
from bench.plain import PROGRAMS, plain_lines
from bench.processes import UnmeasuredError, free_port, running
from bench.system import CONNECTIONS, Running

_ROOT = PROGRAMS.parents[1] / ".peers" / "glewlwyd"
_INSTALLED = re.compile(r"^Inst (lib(?!js)\S+|glewlwyd\S*) ", re.MULTILINE)
_DOCUMENTS = _ROOT / "usr" / "share" / "doc" / "glewlwyd"
_KINDS = ("user", "user_middleware", "client", "scheme", "plugin")


class Glewlwyd:
    """Glewlwyd with SQLite in WAL mode; it answers 200 where RFC 7591 §3.2.1 has 201."""

    name = "glewlwyd"
    label = "Debian glewlwyd"
    does = "no token; SQLite, durable"
    workers = 1
    connections = CONNECTIONS

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run it from the folder it was unpacked into."""
        unpack()
        port = free_port()
        _make_database(folder / "glewlwyd.db", port)
        settings = folder / "glewlwyd.conf"
        settings.write_text(_settings(folder / "glewlwyd.db", port), "utf-8")
        for kind in _KINDS:
            (_ROOT / "usr" / "lib" / "glewlwyd" / kind).mkdir(exist_ok=True)
        libraries = sorted({str(path.parent) for path in _ROOT.rglob("lib*.so.*")})
        with running(
            [_ROOT / "usr" / "bin" / "glewlwyd", f"--config-file={settings}"],
            port=port,
            log=folder / "log",
            environment={"LD_LIBRARY_PATH": ":".join(libraries)},
        ) as process:
            lines = plain_lines("/api/oidc/register", port, connections, expected=OK)
            yield Running(process, port, lines)

    def count_stored(self, folder: Path) -> int | None:
        """Return how many clients its database holds, half-registered ones too."""
        with closing(sqlite3.connect(folder / "glewlwyd.db")) as database:
            return int(database.execute("SELECT count(*) FROM g_client").fetchone()[0])


def version() -> str:
    """Return the version that was unpacked."""
    found = next(_ROOT.glob("glewlwyd_*.deb"), None)
    return found.name.split("_")[1] if found else "none"


def unpack() -> None:
    """Fetch the package and the libraries it needs, and unpack them; raises `UnmeasuredError`."""
    if (_ROOT / "usr" / "bin" / "glewlwyd").exists():
        return
    if not shutil.which("apt-get"):
        raise UnmeasuredError("there is no apt-get to fetch it with")
    simulated = ["apt-get", "install", "--simulate", "--no-install-recommends", "glewlwyd"]
    done = subprocess.run(
        [*simulated, "dbconfig-no-thanks"], capture_output=True, text=True, check=False
    )
    packages = _INSTALLED.findall(done.stdout)
    if not packages:
        raise UnmeasuredError("apt does not know the package; try after `apt-get update`")
    shutil.rmtree(_ROOT, ignore_errors=True)
    _ROOT.mkdir(parents=True)
    fetched = subprocess.run(
        ["apt-get", "download", "-qq", *packages], cwd=_ROOT, capture_output=True, check=False
    )
    if fetched.returncode:
        raise UnmeasuredError("apt could not fetch the package")
    for package in _ROOT.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, _ROOT], check=True)


def _make_database(path: Path, port: int) -> None:
    """Make a database as the package has it, with the plugin whose registration is open to all."""
    plugin = {
        "iss": f"http://127.0.0.1:{port}",
        "jwt-type": "sha",
        "jwt-key-size": "256",
        "key": secrets.token_hex(32),
        "access-token-duration": 3600,
        "refresh-token-duration": 3600,
        "code-duration": 600,
        "allow-non-oidc": True,
        "auth-type-code-enabled": True,
        "auth-type-refresh-enabled": True,
        "register-client-allowed": True,
        "register-client-auth-scope": [],
        "register-client-credentials-scope": [],
        "register-client-management-allowed": False,
    }
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            gzip.decompress((_DOCUMENTS / "database" / "init.sqlite3.sql.gz").read_bytes()).decode()
        )
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(
            "INSERT INTO g_plugin_module_instance"
            " (gpmi_module, gpmi_name, gpmi_parameters, gpmi_enabled)"
            " VALUES ('oidc', 'oidc', ?, 1)",
            (json.dumps(plugin),),
        )
        database.commit()


def _settings(database: Path, port: int) -> str:
    """Return the package's sample, with our places; without TLS it must not be spoken of."""
    modules = _ROOT / "usr" / "lib" / "glewlwyd"
    names = ("user", "user_middleware", "client", "user_auth_scheme", "plugin")
    paths = [
        f'{name}_module_path="{modules / kind}"' for name, kind in zip(names, _KINDS, strict=True)
    ]
    return os.linesep.join(
        [
            f"port={port}",
            'bind_address="127.0.0.1"',
            f'external_url="http://127.0.0.1:{port}"',
            'login_url="login.html"',
            'api_prefix="api"',
            f'static_files_path="{_ROOT}"',
            'log_mode="console"',
            'log_level="NONE"',
            'cookie_domain="localhost"',
            "cookie_secure=0",
            "session_expiration=2419200",
            'session_key="GLEWLWYD2_SESSION_ID"',
            'admin_scope="g_admin"',
            'profile_scope="g_profile"',
            'hash_algorithm="SHA512"',
            *paths,
            f'database = {{ type = "sqlite3" path = "{database}" }};',
            "",
        ]
    )
