"""Enrol under load: the sandbox bank, one worker, with everything on that protects a bank."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.load import Line
from bench.processes import free_port, running
from bench.system import Running
from bench.tpp import make_tpp, sign_ahead
from enrol.sandbox.folder import create_sandbox, open_sandbox
from enrol.sandbox.seed import RandomKeys

_TPPS = 8
_FASTEST_OF_ONE, _FASTEST_OF_MANY = 2_000, 5_000
"""Registrations a second that are signed ahead for; where they end early, so does a run."""


class Enrol:
    """The server that `enrol sandbox up` starts, and the TPPs that register with it."""

    name = "enrol"
    label = "Enrol"
    does = "mTLS, token, digest, RSA-2048 signature, certificates; SQLite, durable"

    def __init__(self, folder: Path, *, connections: int, seconds: float) -> None:
        """Make certificates, and requests for runs of `seconds` with up to `connections`."""
        self._sandbox = folder
        create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
        sandbox = open_sandbox(folder)
        self._tpps = [
            make_tpp(sandbox, f"PSDFR-ACPR-{number:05}")
            for number in range(1, min(_TPPS, connections) + 1)
        ]
        sign_ahead(self._tpps[:1], int(_FASTEST_OF_ONE * seconds))
        sign_ahead(self._tpps, int(_FASTEST_OF_MANY * seconds / len(self._tpps)))
        self._unsent = [iter(tpp.signed) for tpp in self._tpps]

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run the bank; the connections are the TPPs' by turns."""
        port = free_port()
        command: list[str | Path] = [sys.executable, "-m", "enrol", "sandbox", "up", self._sandbox]
        environment = {"ENROL_STORAGE_PATH": str(_database(folder))}
        with running(
            [*command, "--port", str(port)],
            port=port,
            log=folder / "log",
            environment=environment,
        ) as process:
            self._unsent = [iter(tpp.signed) for tpp in self._tpps]
            yield Running(process, port, self.lines(port, connections))

    def lines(self, port: int, connections: int) -> list[Line]:
        """Return connections that send what is not sent yet; they are the TPPs' by turns."""
        turns = [number % len(self._tpps) for number in range(connections)]
        return [self._tpps[turn].line(port, self._unsent[turn]) for turn in turns]

    def count_stored(self, folder: Path) -> int | None:
        """Return how many clients the register holds."""
        with closing(sqlite3.connect(_database(folder))) as register:
            return int(register.execute("SELECT count(*) FROM clients").fetchone()[0])


def _database(folder: Path) -> Path:
    return folder / "enrol.db"
