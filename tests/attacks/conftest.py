"""The bank under attack, and the three organisations of the attack cases."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from attacks.mint import Mint
from attacks.wire import Identity, Outcome, exchange
from live.desk import Desk
from live.party import Draft, Party, issue

A, B, C = "PSDFR-ACPR-11111", "PSDFR-ACPR-22222", "PSDFR-ACPR-33333"
ALL_ROLES = ("PSP_PI", "PSP_AI", "PSP_IC")


@dataclass
class Siege:
    """A bank, the parties around it, and the attacker's mint."""

    desk: Desk
    a: Party
    b: Party
    c: Party
    mint: Mint

    def send(self, draft: Draft | bytes, identity: Identity | None = None) -> Outcome:
        """Send A's request over A's QWAC, or another."""
        data = draft if isinstance(draft, bytes) else draft.to_bytes()
        return exchange(self.desk.port, identity or self.a.qwac, data)

    def audited(self, request_id: str | None) -> set[str]:
        """Return the codes that were written down for a request."""
        rows = self.desk.rows("SELECT code FROM audit_events WHERE request_id = ?", request_id)
        return {code for (code,) in rows}


def party_of(bank: Desk, organization: str, roles: tuple[str, ...]) -> Party:
    pairs = [issue(bank.folder, kind, organization, roles=roles) for kind in ("qwac", "qsealc")]
    return Party(bank.port, bank.folder / "server-ca.pem", organization, *pairs)


@pytest.fixture(scope="session")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    """The attack cases' fixtures: A with all roles, B with two, C with one."""
    with Desk(tmp_path_factory.mktemp("siege") / "bank") as desk:
        parties = (
            party_of(desk, A, ALL_ROLES),
            party_of(desk, B, ALL_ROLES[:2]),
            party_of(desk, C, ("PSP_AI",)),
        )
        for party in parties:
            party.token  # noqa: B018 - fetched once, before anything is attacked
        yield Siege(desk, *parties, Mint(desk.folder))
        for party in parties:
            party.close()
        assert desk.stop() == 0
