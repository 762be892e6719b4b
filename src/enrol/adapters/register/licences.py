"""The register of payment institutions as the desk asks it."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from enrol.adapters.files import Stamp
from enrol.adapters.register.kept import KeptRegister, RegisterOverview
from enrol.eidas.register import RegisterEntry
from enrol.errors import ConfigurationError, UnavailableError
from enrol.registration.ports import RegisterAnswer

_log = structlog.get_logger(__name__)


class SqliteLicenceRegister:
    """`LicenceRegister` over the file that an import swaps; looked at when it is asked.

    A file that cannot be read changes nothing: what was read before stays, until it is too old.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._kept: tuple[KeptRegister, RegisterOverview] | None = None

    @property
    def made_at(self) -> datetime | None:
        """Of when the register is (aware UTC), None where there is none."""
        current = self._current()
        return None if current is None else current[1].made_at

    def numbered(self, number: str) -> RegisterAnswer:
        """Return the entries, of whatever authority, that a normalised number names."""
        return self._ask(lambda kept: kept.numbered(number))

    def coded(self, code: str) -> RegisterAnswer:
        """Return the entries under a code of the register."""
        return self._ask(lambda kept: kept.coded(code))

    def _ask(self, ask: Callable[[KeptRegister], tuple[RegisterEntry, ...]]) -> RegisterAnswer:
        current = self._current()
        if current is None:
            raise UnavailableError("register_unavailable", retry_after=60)
        kept, overview = current
        try:
            return RegisterAnswer(ask(kept), overview.made_at)
        except (sqlite3.Error, msgspec.DecodeError) as exc:
            raise UnavailableError("register_unavailable", retry_after=60) from exc

    def _current(self) -> tuple[KeptRegister, RegisterOverview] | None:
        stamp = Stamp.of(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            if stamp.exists:
                self._open()
        return self._kept

    def _open(self) -> None:
        try:
            kept = KeptRegister(self._path)
            overview = kept.overview()
        except (ConfigurationError, sqlite3.Error, TypeError, ValueError) as exc:
            _log.error("register_unreadable", file=str(self._path), cause=str(exc))
            return
        if self._kept is not None:
            self._kept[0].close()
        self._kept = kept, overview
