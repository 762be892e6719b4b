"""The `enrol` command with a fault in it: a port of its store fails where a file says so.

The file ``fault`` in the sandbox's folder names the place, such as ``clients.commit``, or
``after clients.commit`` to fail once the work is done. The parts are joined in `enrol.bootstrap`,
so that one name is replaced there, and one where an answer is written.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from enrol.adapters.opening import open_register
from enrol.adapters.store import RegisterStore
from enrol.cli import main
from enrol.registration.record import ClientRecord
from enrol.registration.response import RegistrationResponse, respond

FAULT = "fault"


class InjectedFaultError(Exception):
    """What no line of Enrol expects."""


def fail_at(place: str, fault: Path) -> None:
    """Fail where the file names this place."""
    if fault.is_file() and fault.read_text() == place:
        raise InjectedFaultError(place)


class FaultyPort:
    """A port whose methods fail before or after the work."""

    def __init__(self, port: Any, name: str, fault: Path) -> None:
        self._port, self._name, self._fault = port, name, fault

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        place = f"{self._name}.{method}"

        async def call(*arguments: Any) -> Any:
            fail_at(place, self._fault)
            result = await getattr(self._port, method)(*arguments)
            fail_at(f"after {place}", self._fault)
            return result

        return call


def open_faulty(path: Path, *settings: Any, **options: Any) -> RegisterStore:
    """Open the register, behind ports that fail."""
    store = open_register(path, *settings, **options)
    for name in ("clients", "tokens"):
        setattr(store, name, FaultyPort(getattr(store, name), name, path.parent / FAULT))
    return store


def run(folder: Path) -> None:
    """Be the `enrol` command for the sandbox in `folder`."""

    def faulty_respond(record: ClientRecord, **options: Any) -> RegistrationResponse:
        fail_at("respond", folder / FAULT)
        return respond(record, **options)

    with (
        patch("enrol.bootstrap.application.open_register", open_faulty),
        patch("enrol.server.routes.respond", faulty_respond),
    ):
        main()


if __name__ == "__main__":
    run(Path(sys.argv[3]))  # faulty_desk.py sandbox up FOLDER
