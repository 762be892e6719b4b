"""A running sandbox bank and the parties that talk to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live.desk import Desk
from live.party import Pair, Party, issue

pytest.register_assert_rewrite("live.register_life")

ACME, RIVAL = "PSDFR-ACPR-12345", "PSDFR-ACPR-22222"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The bank most tests talk to; its database holds what they leave in it."""
    with Desk(tmp_path_factory.mktemp("bank") / "sandbox") as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="session")
def party_of() -> Iterator[Callable[..., Party]]:
    """Make a party of a bank: `party_of(desk, organization, roles=…)`."""
    made: list[Party] = []

    def make(
        bank: Desk, organization: str = ACME, roles: tuple[str, ...] = ("PSP_AI", "PSP_PI")
    ) -> Party:
        qwac = issue(bank.pki, "qwac", organization, roles=roles)
        qsealc = issue(bank.pki, "qsealc", organization, roles=roles)
        made.append(Party(bank.port, bank.folder / "server-ca.pem", organization, qwac, qsealc))
        return made[-1]

    yield make
    for party in made:
        party.close()


@pytest.fixture
def acme(desk: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    """The TPP the sandbox was made for."""
    party = party_of(desk)
    yield party
    party.close()


@pytest.fixture
def rival(desk: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    """Another TPP with good certificates."""
    party = party_of(desk, RIVAL)
    yield party
    party.close()


@pytest.fixture
def new_pair(desk: Desk) -> Callable[..., Pair]:
    """Issue a certificate of the running bank's QTSP, with faults."""

    def make(kind: str, organization: str = ACME, **options: object) -> Pair:
        return issue(desk.folder, kind, organization, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a sandbox of one's own."""
    return tmp_path / "sandbox"
