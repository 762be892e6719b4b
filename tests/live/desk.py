"""A real desk for black-box tests: the `enrol` command in a process of its own, over TLS."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

READY = re.compile(r"ready (?:https://\S+:(\d+)|unix:\S+)\n")


@dataclass
class Desk:
    """A sandbox bank on `folder`; `settings` are dotted names laid over its enrol.toml.

    `program` is what Python runs to be the `enrol` command; `issuer` is the sandbox whose QTSP
    this bank trusts, where it is another's. `environment` is laid over that of the tests; what is
    logged goes to `log_to` where it is set, a descriptor, else to a file beside the folder.
    """

    folder: Path
    options: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    program: tuple[str, ...] = ("-m", "enrol")
    issuer: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    log_to: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    def beside(self, folder: Path, *options: str, **settings: Any) -> "Desk":
        """Return another bank with the same certificates and an empty register, not started.

        A setting is written `section__name`.
        """
        shutil.copytree(
            self.folder, folder, ignore=shutil.ignore_patterns("enrol.db*", "enrol.sock")
        )
        dotted = {name.replace("__", "."): value for name, value in settings.items()}
        return Desk(folder, options, dotted, issuer=self.folder)

    def start(self) -> None:
        """Start the server and wait until it says it is ready."""
        self.log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *self.program, *self.command],
            stdout=subprocess.PIPE,
            stderr=self.log if self.log_to is None else self.log_to,
            text=True,
            env=os.environ | self.environment | self.variables,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = READY.fullmatch(line)
        assert match, f"said {line!r} instead of ready; see {self.log.name}"
        self.port = int(match[1] or self.port)  # a proxy has the port where a Unix socket is

    @property
    def command(self) -> list[str]:
        """The `enrol` command that serves."""
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        return ["sandbox", "up", str(self.folder), *address, *self.options]

    def stop(self) -> int:
        """Ask the server to stop as a supervisor does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """End the server as a power cut ends a process."""
        self.process.kill()
        self.ended()

    def ended(self) -> int:
        """Wait for the end of the server and return its exit code."""
        code = self.process.wait(timeout=40)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return code

    @property
    def variables(self) -> dict[str, str]:
        """The settings as the environment has them."""
        return {
            f"ENROL_{name.upper().replace('.', '_')}": str(value)
            for name, value in self.settings.items()
        }

    @property
    def log_lines(self) -> list[str]:
        """What the server logged so far."""
        return Path(self.log.name).read_text("utf-8").splitlines()

    @property
    def pki(self) -> Path:
        """The sandbox that issues the certificates this bank trusts."""
        return self.issuer or self.folder

    @property
    def database(self) -> Path:
        """The file of the register."""
        return Path(self.settings.get("storage.path", self.folder / "enrol.db"))

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read the server's database."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    def damage(self) -> list[str]:
        """Return what SQLite finds wrong with the file."""
        return [said for (said,) in self.rows("PRAGMA integrity_check") if said != "ok"]

    def count_clients(self) -> int:
        """Return how many clients are registered."""
        return int(self.rows("SELECT count(*) FROM clients")[0][0])

    def profile(self) -> dict[str, Any]:
        """Return the TPP's profile of the sandbox."""
        return tomllib.loads((self.folder / "tpp" / "profile.toml").read_text())
