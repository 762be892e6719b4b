"""The sandbox bank that is put under load, and the TPPs that register with it."""

from datetime import UTC, datetime
from pathlib import Path

from bench.load import Line
from bench.tpp import Tpp, make_tpp, sign_ahead
from enrol.cli.trust import ensure_snapshot
from enrol.sandbox.folder import create_sandbox, open_sandbox
from enrol.sandbox.seed import RandomKeys
from enrol.settings import load_settings

TPPS = 8
_FASTEST_OF_ONE, _FASTEST_OF_MANY = 2_000, 5_000
"""Registrations a second that are signed ahead for; where they end early, so does a run."""


class Bank:
    """A sandbox with its trusted lists read, its TPPs, and their requests."""

    def __init__(self, folder: Path, *, tpps: int = TPPS) -> None:
        """Make a sandbox in an empty folder, and certificates of `tpps` organisations."""
        self.folder = folder
        create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
        ensure_snapshot(load_settings(self.config, self.environment).refresh_job)
        sandbox = open_sandbox(folder)
        self.tpps: list[Tpp] = [
            make_tpp(sandbox, f"PSDFR-ACPR-{number:05}") for number in range(1, tpps + 1)
        ]
        self.rewind()

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "enrol.toml"

    @property
    def environment(self) -> dict[str, str]:
        """What servers have in common, wherever their register is."""
        return {"ENROL_TRUST_SNAPSHOT": str(self.folder / "trust.snapshot")}

    def sign(self, seconds: float) -> None:
        """Sign registrations for a run of `seconds`."""
        sign_ahead(self.tpps[:1], int(_FASTEST_OF_ONE * seconds))
        sign_ahead(self.tpps, int(_FASTEST_OF_MANY * seconds / len(self.tpps)))
        self.rewind()

    def rewind(self) -> None:
        """Begin anew with the first request, for an empty register."""
        self._unsent = [iter(tpp.signed) for tpp in self.tpps]

    def lines(self, port: int, connections: int) -> list[Line]:
        """Return connections that send what is not sent yet; they are the TPPs' by turns."""
        turns = [number % len(self.tpps) for number in range(connections)]
        return [self.tpps[turn].line(port, self._unsent[turn]) for turn in turns]

    def reading_lines(self, port: int, connections: int) -> list[Line]:
        """Return connections that read clients."""
        turns = [number % len(self.tpps) for number in range(connections)]
        return [self.tpps[turn].reading_line(port) for turn in turns]

    def plain_lines(self, port: int, connections: int, body: bytes) -> list[Line]:
        """Return connections that register without signatures."""
        turns = [number % len(self.tpps) for number in range(connections)]
        return [self.tpps[turn].plain_line(port, body) for turn in turns]
