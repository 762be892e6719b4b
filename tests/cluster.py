"""A PostgreSQL cluster of the tests' own, on a free port of the loopback."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import WaitingConnection
from enrol.adapters.postgres.migration import migrate_postgres
from enrol.adapters.tables import metadata
from ports import free_port

_ADMIN, OWNER, SERVER = "postgres", "enrol_owner", "enrol_server"
GUARDED, PASSWORD = "enrol_guarded", "open sesame"
"""The one role that needs a password."""

_FAST = {"fsync": "on", "shared_buffers": "64MB", "max_connections": "100"}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """A database by its URLs: that of who owns the tables, and that of the server's role."""

    owner_url: str
    server_url: str

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what a statement finds, whose parameters are question marks."""
        numbers = count(1)
        text = re.sub(r"\?", lambda _: f"${next(numbers)}", statement)

        def ask() -> list[tuple[Any, ...]]:
            with WaitingConnection(self.owner_url) as connection:
                return connection.execute(text, parameters).fetchall()

        with ThreadPoolExecutor(1) as thread:  # a test may have a loop of its own
            return thread.submit(ask).result()

    def empty(self) -> None:
        """Make the register in it as it was when it was made."""
        self.rows(_EMPTIES)


def _empties() -> str:
    """Return what deletes every row: of few rows, TRUNCATE takes ten times as long."""
    tables = [table.name for table in reversed(metadata.sorted_tables)]
    numbered = [name for name in tables if "id" in metadata.tables[name].c]
    steps = [f"DELETE FROM {name}" for name in tables]
    steps += [
        f"PERFORM setval(pg_get_serial_sequence('{name}', 'id'), 1, false)" for name in numbered
    ]
    return f"DO $$ BEGIN {'; '.join(steps)}; UPDATE audit_last SET id = 0; END $$"


_EMPTIES = _empties()


@dataclass(slots=True)
class Cluster:
    """A cluster; the folder of its data, its port, and whoever it runs as."""

    data: Path
    port: int
    user: str | None

    def start(self, **changed: str) -> None:
        """Start the server, with some settings changed, and wait until it answers."""
        settings = {
            **_FAST,
            **changed,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.data),
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-D", self.data, "-l", self.data / "log", "-o", options, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; ``immediate`` is as a crash."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def pids(self, application: str) -> list[int]:
        """Return the processes of the server that serve the connections of an application."""
        found = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'"
        return [int(line) for line in self.sql(found).split()]

    @contextmanager
    def altered(self, what: str, change: str, back: str) -> Iterator[None]:
        """Change a role or a database for a while: ``SET``, and ``RESET`` behind it."""
        self.sql(f"ALTER {what} {change}")
        try:
            yield
        finally:
            self.sql(f"ALTER {what} {back}")

    @contextmanager
    def standby(self, name: str) -> Iterator["Cluster"]:
        """Run a server that follows this one, whose commits wait for it until it is gone."""
        folder = self.data.with_name(f"{self.data.name}-{name}")
        follower = Cluster(folder, free_port(), self.user)
        link = f"host=127.0.0.1 port={self.port} user={_ADMIN} application_name={name}"
        self._run("pg_basebackup", "-D", folder, "-d", link, "-R", "-X", "stream", "-c", "fast")
        follower.start()
        self.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.sql("SELECT pg_reload_conf()")
        try:
            yield follower
        finally:
            for each in (follower, self):
                if (each.data / "postmaster.pid").exists():
                    each.stop("immediate")
            shutil.rmtree(folder, ignore_errors=True)

    def promote(self) -> None:
        """Let a standby take over."""
        self.sql("SELECT pg_promote()")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Execute a statement as administrator and return what it says."""
        return self._run("psql", "-qAtX", "-d", self._url(_ADMIN, database), "-c", statement)

    def damage(self, database: Database) -> list[str]:
        """Return what `pg_amcheck` finds wrong with the tables and indexes of a database."""
        url = self._url(_ADMIN, urlsplit(database.owner_url).path.lstrip("/"))
        program = _program("pg_amcheck")
        assert program is not None
        found = subprocess.run(
            [program, "--install-missing", "--heapallindexed", url],
            user=self.user,
            cwd=self.data,
            capture_output=True,
            text=True,
            check=False,
        )
        said = [*found.stdout.splitlines(), *found.stderr.splitlines()]
        return said or ["pg_amcheck failed"] if found.returncode else []

    def create_register(self, locale: str = "LOCALE 'C.UTF-8'") -> Database:
        """Make a database with a register in which nothing stands yet."""
        database = self.create(locale)
        self.fill(database)
        return database

    def fill(self, database: Database, server_role: str | None = SERVER) -> None:
        """Make the tables of a register."""
        migrate_postgres(PostgresUrl(database.owner_url), server_role=server_role)

    def create(self, locale: str = "LOCALE 'C.UTF-8'") -> Database:
        """Make a database."""
        name = f"register_{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0 {locale}")
        return Database(self._url(OWNER, name), self._url(SERVER, name))

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str | Path) -> str:
        done = subprocess.run(
            [_program(program), *arguments],
            user=self.user,
            cwd=self.data,
            capture_output=program == "psql",
            stdout=None if program == "psql" else subprocess.DEVNULL,
            text=True,
            check=True,
        )
        return (done.stdout or "").strip()


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Run a cluster with the two roles; skips the test where PostgreSQL is not installed."""
    if _program("initdb") is None:
        pytest.skip("PostgreSQL's server is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="enrol-postgres-"))
    if user is not None:
        shutil.chown(folder, user)
    cluster = Cluster(folder, free_port(), user)
    try:
        cluster._run("initdb", "-D", folder, "-U", _ADMIN, "-A", "trust", "--no-sync")
        rules = folder / "pg_hba.conf"
        rules.write_text(f"host all {GUARDED} all scram-sha-256\n{rules.read_text()}")
        cluster.start()
        try:
            cluster.sql(f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {SERVER} LOGIN")
            cluster.sql(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")
            yield cluster
        finally:
            if (folder / "postmaster.pid").exists():
                cluster.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def version() -> str | None:
    """Return which PostgreSQL is installed, None where none is."""
    program = _program("postgres")
    if program is None:
        return None
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return said.stdout.strip()


def _program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL, which Debian keeps off PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)])
    return shutil.which(name, path=path)
