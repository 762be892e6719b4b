"""A real desk for black-box tests: the `enrol` command in a process of its own, over TLS."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

READY = re.compile(r"ready https://(\S+):(\d+)\n")


@dataclass
class Desk:
    """A sandbox bank on `folder`; `settings` are dotted names laid over its enrol.toml."""

    folder: Path
    options: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    port: int = 0

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

    def start(self) -> None:
        """Start the server and wait until it says it is ready."""
        environment = os.environ | {
            f"ENROL_{name.upper().replace('.', '_')}": str(value)
            for name, value in self.settings.items()
        }
        self.log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "enrol", "sandbox", "up", str(self.folder)),
                *("--host", "127.0.0.1", "--port", str(self.port), *self.options),
            ],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = READY.fullmatch(line)
        assert match, f"said {line!r} instead of ready; see {self.log.name}"
        self.port = int(match[2])

    def stop(self) -> int:
        """Ask the server to stop as a supervisor does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """End the server as a power cut ends a process."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(timeout=40)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return code

    @property
    def log_lines(self) -> list[str]:
        """What the server logged so far."""
        return Path(self.log.name).read_text("utf-8").splitlines()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read the server's database."""
        connection = sqlite3.connect(f"file:{self.folder}/enrol.db?mode=ro", uri=True)
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    def count_clients(self) -> int:
        """Return how many clients are registered."""
        return int(self.rows("SELECT count(*) FROM clients")[0][0])

    def profile(self) -> dict[str, Any]:
        """Return the TPP's profile of the sandbox."""
        return tomllib.loads((self.folder / "tpp" / "profile.toml").read_text())
