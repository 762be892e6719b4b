"""The old management token holds until the new one is first used."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from dialects import changed
from enrol.adapters.dialects import load_dialect
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import ConfigurationError, TokenError
from enrol.oauth.derived_secrets import registration_access_token
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.management_token import ManagementTokens, holds, next_generation
from enrol.registration.ports import TokenUse
from enrol.registration.record import ClientRecord

AT = datetime(2026, 11, 24, tzinfo=UTC)
ACME, RIVAL = OrganizationIdentifier("PSDFR-ACPR-12345"), OrganizationIdentifier("PSDFR-ACPR-22222")
SECRET = bytes(32)
RECORD = ClientRecord(
    client_id=ClientId("c1"),
    organization_identifier=ACME,
    metadata=ClientMetadata(),
    keys=(),
    issued_at=AT,
    updated_at=AT,
    version=1,
)


class Tokens(RuleBasedStateMachine):
    """A client that keeps the token of the last answer it got, and sometimes gets none."""

    def __init__(self) -> None:
        super().__init__()
        self.record = RECORD
        self.kept = 1
        self.refused: set[int] = set()

    def update(self) -> None:
        generation = next_generation(self.record)
        self.record = replace(
            self.record, token_generation=generation, version=self.record.version + 1
        )

    def use(self, generation: int) -> None:
        """Authenticate as the desk does: what is newer than the one used last is noted."""
        assert holds(self.record, generation)
        if generation > self.record.used_token:
            self.refused.update(range(1, generation))
            self.record = replace(self.record, used_token=generation)

    @rule()
    def update_with_the_kept_token(self) -> None:
        self.use(self.kept)
        self.update()
        self.kept = self.record.token_generation

    @rule()
    def update_and_lose_the_answer(self) -> None:
        self.use(self.kept)
        self.update()

    @rule()
    def update_by_another_token(self) -> None:
        self.update()

    @rule()
    def read_with_another_token(self) -> None:
        self.kept = self.record.token_generation

    @rule()
    @precondition(lambda self: self.refused)
    def try_what_was_refused(self) -> None:
        assert not any(holds(self.record, generation) for generation in self.refused)

    @invariant()
    def the_kept_token_holds(self) -> None:
        assert holds(self.record, self.kept)

    @invariant()
    def at_most_two_hold(self) -> None:
        issued = range(self.record.token_generation + 2)
        assert sum(holds(self.record, generation) for generation in issued) <= 2
        assert self.record.token_generation - self.record.used_token in (0, 1)


TestTokens = Tokens.TestCase
TestTokens.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)


class Clients:
    """A register of at most one client."""

    def __init__(self, record: ClientRecord | None) -> None:
        self.record = record

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        return self.record


def tokens(record: ClientRecord | None) -> ManagementTokens:
    store: Any = Clients(record)
    return ManagementTokens(store, SECRET)


def use(generation: int) -> TokenUse:
    return TokenUse(RECORD.client_id, generation)


async def test_only_the_first_use_of_the_newest_token_is_one() -> None:
    two = replace(RECORD, token_generation=2)
    assert await tokens(two).is_first_use(use(2), ACME)
    assert not await tokens(two).is_first_use(use(1), ACME)
    assert not await tokens(replace(two, used_token=2)).is_first_use(use(2), ACME)


@pytest.mark.parametrize(
    ("record", "generation", "organization", "code"),
    [
        (replace(RECORD, token_generation=2, used_token=2), 1, ACME, "token_superseded"),
        (RECORD, 2, ACME, "token_superseded"),
        (RECORD, 1, RIVAL, "token_unknown"),
        (None, 1, ACME, "token_unknown"),
    ],
    ids=["replaced and the new one used", "never issued", "of another organisation", "deleted"],
)
async def test_a_token_that_does_not_hold_is_refused(
    record: ClientRecord | None, generation: int, organization: OrganizationIdentifier, code: str
) -> None:
    with pytest.raises(TokenError, match=code):
        await tokens(record).is_first_use(use(generation), organization)


def test_a_token_is_recognised_for_the_client_it_was_issued_with_alone() -> None:
    token = registration_access_token(SECRET, RECORD.client_id, 3)
    assert tokens(RECORD).recognise(token, RECORD.client_id) == use(3)
    assert tokens(RECORD).recognise(token, ClientId("c2")) is None
    assert tokens(RECORD).recognise(token, None) is None


@pytest.mark.parametrize(
    ("name", "rotates"),
    [
        ("stet", True),
        ("stet-strict", True),
        ("rfc7591", True),
        ("bpce", False),  # its token is null
        ("bnpp", False),  # its answer to an update has no token
        ("lcl", False),
        ("cic", False),
        ("creditagricole", False),
        ("labanquepostale", False),
    ],
)
def test_rotate_rat_on_put(name: str, *, rotates: bool) -> None:
    assert load_dialect(name).rotates_token is rotates


def test_an_operator_switches_rotation_off() -> None:
    line = 'manage = ["manage_registration", "registration_access_token"]'
    assert not changed("stet", (line, f"{line}\nrotate = false")).rotates_token


def test_a_rotation_whose_token_nobody_gets_is_a_mistake() -> None:
    line = 'manage = ["registration_access_token"]'
    with pytest.raises(ConfigurationError, match=r"credentials\.rotate"):
        changed("bnpp", (line, f"{line}\nrotate = true"))
