"""Enrol under load: the production server with everything on that protects a bank."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.bank import Bank
from bench.databases import Register
from bench.plain import METADATA
from bench.processes import Process, UnmeasuredError, free_port, running
from bench.system import CONNECTIONS, Running

SIGNED = "mTLS, token, digest, RSA-2048 signature, certificates"
PLAIN = "mTLS, token, plain RFC 7591 body without signature"


@dataclass(frozen=True, slots=True)
class Enrol:
    """The server that `enrol serve` starts, with a register of one kind.

    With `dialect` ``rfc7591`` it gets the body the peers get, without signature.
    """

    name: str
    label: str
    does: str
    bank: Bank
    register: Register
    workers: int = 1
    dialect: str = "stet"
    connections: tuple[int, ...] = CONNECTIONS

    @contextmanager
    def start(self, folder: Path, connections: int) -> Iterator[Running]:
        """Run the bank; the connections are the TPPs' by turns."""
        made = self.register.made(self.bank.config, folder, self.workers)
        environment = {**made, "ENROL_REGISTRATION_DIALECT": self.dialect}
        options = _workers(self.workers)
        with serving(self.bank, folder, environment, options=options, workers=self.workers) as (
            process,
            port,
        ):
            self.bank.rewind()
            lines = (
                self.bank.lines(port, connections)
                if self.dialect == "stet"
                else self.bank.plain_lines(port, connections, METADATA)
            )
            yield Running(process, port, lines)

    def count_stored(self, folder: Path) -> int | None:
        """Return how many clients the register holds."""
        return self.register.count(folder)


@contextmanager
def serving(
    bank: Bank,
    folder: Path,
    environment: dict[str, str],
    *,
    options: tuple[str, ...] = (),
    workers: int = 1,
    patience: float = 30,
) -> Iterator[tuple[Process, int]]:
    """Run a bank's server with its log in `folder`; `environment` says where its register is."""
    port = free_port()
    own = bank.environment | environment | {"ENROL_SERVER_PORT": str(port)}
    with running(
        [*serve_command(bank.config), *options],
        port=port,
        log=folder / "log",
        environment=own,
        workers=workers,
        patience=patience,
    ) as process:
        yield process, port


def serve_command(config: Path) -> list[str | Path]:
    """Return the command that serves."""
    return [sys.executable, "-m", "enrol", "serve", "--config", config]


def _workers(count: int) -> tuple[str, ...]:
    """Return the option for more than one worker; raises `UnmeasuredError` where there is none."""
    if count == 1:
        return ()
    if not _has_workers():
        raise UnmeasuredError("`enrol serve` does not have --workers yet")
    return ("--workers", str(count))


@cache
def _has_workers() -> bool:
    command = [sys.executable, "-m", "enrol", "serve", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "--workers" in said
