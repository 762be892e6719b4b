"""Banks behind nginx, HAProxy and Envoy; a proxy that the machine has not is skipped."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from live.desk import Desk
from live.party import Pair, Party, issue
from proxies.front import KINDS, Front, command_of

ACME = "PSDFR-ACPR-12345"
ROLES = ("PSP_AI", "PSP_PI")


@dataclass(frozen=True)
class Place:
    """A bank behind a proxy."""

    front: Front
    desk: Desk

    def party(self, qwac: Pair | None) -> Party:
        """Return Acme, which connects to the proxy with a certificate, or without."""
        qsealc = issue(self.desk.pki, "qsealc", ACME, roles=ROLES)
        return Party(self.front.port, self.desk.folder / "server-ca.pem", ACME, qwac, qsealc)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A sandbox that is never started; all banks here have its certificates."""
    folder = tmp_path_factory.mktemp("proxies") / "sandbox"
    command = [sys.executable, "-m", "enrol", "sandbox", "init", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return Desk(folder)


@pytest.fixture(scope="session")
def place_of(template: Desk) -> Iterator[Callable[[str], Place]]:
    """Return the bank behind a proxy of a kind, started when it is first asked for."""
    running: dict[str, Place] = {}
    with ExitStack() as stack:

        def find(kind: str) -> Place:
            if kind not in running:
                if command_of(kind) is None:
                    pytest.skip(f"{kind} is not installed")
                folder = template.folder.parent / kind
                desk = template.beside(folder)
                front = Front(kind, folder.with_suffix(".front"), folder)
                stack.enter_context(front.before(desk))
                stack.enter_context(front)
                running[kind] = Place(front, desk)
            return running[kind]

        yield find


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    """The bank behind each proxy."""
    return place_of(request.param)


@pytest.fixture
def acme(place: Place) -> Iterator[Party]:
    """A TPP with good certificates."""
    party = place.party(issue(place.desk.pki, "qwac", ACME, roles=ROLES))
    yield party
    party.close()
