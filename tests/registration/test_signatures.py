"""Which policy a caller's signature is judged by."""

from datetime import UTC, datetime

import pytest

from enrol.eidas.organization import OrganizationIdentifier
from enrol.httpsig import STET, STRICT
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.record import ClientRecord
from enrol.registration.signatures import SignaturePolicies

AT = datetime(2026, 11, 24, tzinfo=UTC)
ACME, RIVAL = (OrganizationIdentifier(f"PSDFR-ACPR-{number}") for number in (12345, 99999))
OWN, OTHER = ClientId("own"), ClientId("other")
OF_ACME, OF_CLIENT = STET.with_quirks((), prefix=b"/a"), STRICT
POLICIES = SignaturePolicies(STET, {ACME: OF_ACME, OWN: OF_CLIENT})


class Register:
    """One client of Acme; remembers which clients were looked up."""

    def __init__(self) -> None:
        self.asked: list[ClientId] = []

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        self.asked.append(client_id)
        if client_id != OWN:
            return None
        return ClientRecord(OWN, ACME, ClientMetadata(), (), AT, AT, 1)


@pytest.mark.parametrize(
    ("organization", "client_id", "expected"),
    [
        pytest.param(RIVAL, None, STET, id="nobody in particular"),
        pytest.param(ACME, None, OF_ACME, id="an organisation"),
        pytest.param(ACME, OTHER, OF_ACME, id="another client of it"),
        pytest.param(ACME, OWN, OF_CLIENT, id="a client before its organisation"),
        pytest.param(RIVAL, OWN, STET, id="a client of somebody else"),
        pytest.param(RIVAL, ClientId(ACME), STET, id="an organisation as client_id"),
    ],
)
async def test_the_policy_is_that_of_the_own_client_then_of_the_organisation(
    organization: OrganizationIdentifier, client_id: ClientId | None, expected: object
) -> None:
    assert await POLICIES.choose(organization, client_id, Register()) is expected


async def test_the_register_is_asked_only_for_clients_that_differ() -> None:
    register = Register()
    await POLICIES.choose(ACME, OTHER, register)
    await POLICIES.choose(ACME, None, register)
    assert register.asked == []
