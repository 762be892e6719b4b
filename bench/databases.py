"""Where Enrol's register is during a run: a SQLite file, or PostgreSQL of the benchmark's own."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from bench.processes import Process, UnmeasuredError, share_out

if TYPE_CHECKING:
    from cluster import Cluster, Database

_TESTS = Path(__file__).parents[1] / "tests"


class Register(Protocol):
    """A kind of database."""

    def made(self, config: Path, folder: Path, workers: int) -> Mapping[str, str]:
        """Make an empty register and return what the server's environment names it by.

        Raises `UnmeasuredError`.
        """

    def count(self, folder: Path) -> int:
        """Return how many clients it holds, once the server has stopped."""


class Sqlite:
    """A file in the folder of the run."""

    label = "SQLite"

    def made(self, config: Path, folder: Path, workers: int) -> Mapping[str, str]:  # noqa: ARG002
        return {"ENROL_STORAGE_PATH": str(folder / "enrol.db")}

    def count(self, folder: Path) -> int:
        with closing(sqlite3.connect(folder / "enrol.db")) as register:
            return int(register.execute("SELECT count(*) FROM clients").fetchone()[0])


class Postgres:
    """A cluster with the settings of Debian's package, but for the memory it may share."""

    label = "PostgreSQL"

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._cluster: Cluster | None = None
        self._migrated: Database | None = None
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def made(self, config: Path, folder: Path, workers: int) -> Mapping[str, str]:
        cluster, migrated = self._started(config, folder)
        database = cluster.create(template=_name(migrated))
        self._name = _name(database)
        _keep_to(share_out(workers).rest, cluster.data)
        return _environment(database, folder)

    def count(self, folder: Path) -> int:  # noqa: ARG002 - the database of the last run
        assert self._cluster is not None
        counted = int(self._cluster.sql("SELECT count(*) FROM clients", self._name))
        self._cluster.sql(f"DROP DATABASE {self._name}")
        return counted

    def _started(self, config: Path, folder: Path) -> "tuple[Cluster, Database]":
        """Return the cluster, and the database in it that every other is a copy of."""
        if self._cluster is None or self._migrated is None:
            sys.path.append(str(_TESTS))
            import cluster  # noqa: PLC0415 - of the tests, as is what it imports

            if cluster._program("initdb") is None:
                raise UnmeasuredError("PostgreSQL's server is not installed")
            self._cluster = self._stack.enter_context(cluster.running_cluster())
            self._migrated = self._cluster.create()
            subprocess.run(
                [sys.executable, "-m", "enrol", "migrate", "--config", config],
                env=os.environ | _environment(self._migrated, folder),
                stdout=subprocess.DEVNULL,
                check=True,
            )
        return self._cluster, self._migrated


def _environment(database: "Database", folder: Path) -> dict[str, str]:
    return {
        "ENROL_STORAGE_PATH": "",
        "ENROL_STORAGE_URL": database.server_url,
        "ENROL_STORAGE_MIGRATION_URL": database.owner_url,
        "ENROL_STORAGE_STATE": str(folder),
    }


def _name(database: "Database") -> str:
    return str(database.server_url.rpartition("/")[2])


def _keep_to(cpus: frozenset[int], data: Path) -> None:
    """Run a cluster, and whatever it starts from now on, on some CPUs."""
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    for pid in Process(postmaster).tree():
        os.sched_setaffinity(pid, cpus)
