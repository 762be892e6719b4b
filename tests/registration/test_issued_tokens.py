"""Tokens once they are issued: who may ask about them, who ends them, and what is said."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import CertificateError, RateLimitError, TokenError
from enrol.oauth.introspection import INACTIVE
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.tokens import AccessToken, hash_token
from enrol.oauth.types import ClientId
from enrol.registration import issued_tokens
from enrol.registration.issued_tokens import Gateways, IssuedTokenDesk
from enrol.registration.ratelimit import LocalRateLimiter, Rate
from enrol.registration.record import ClientRecord
from enrol.registration.states import Standing, State

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACME, RIVAL = OrganizationIdentifier("PSDFR-ACPR-12345"), OrganizationIdentifier("PSDFR-ACPR-2")
QWAC, OTHER_QWAC = b"DER of a QWAC", b"DER of another"
GENERIC = ClientId("PSD2_TPPRegister")
ONE = ClientId("client-1")
SECRET, OLD_SECRET = b"s" * 32, b"o" * 32
GATEWAY = b"DER of a gateway's certificate"

TOKEN = AccessToken(
    token_hash=hash_token("text"),
    client_id=ONE,
    organization_identifier=ACME,
    x5t_s256=x5t_s256(hashlib.sha256(QWAC).digest()),
    scope=frozenset({"manageRegistration"}),
    expires_at=AT + timedelta(hours=1),
)
RECORD = ClientRecord(ONE, ACME, ClientMetadata(), (), AT, AT, 1)


class World:
    """The ports behind the desk: one token, one client, two organisations with QWACs."""

    def __init__(self) -> None:
        self.found: dict[bytes, AccessToken] = {TOKEN.token_hash: TOKEN}
        self.record: ClientRecord | None = RECORD
        self.revoked: list[AccessToken] = []
        self.now = AT

    async def find(self, key):
        return self.record if isinstance(key, str) else self.found.get(key)

    async def revoke(self, token, event):
        self.revoked.append(token)
        assert event.evidence == token.token_hash.hex()

    async def qwac(self, der, *, at):
        if der is None:
            raise CertificateError("qwac_missing")
        certificate = SimpleNamespace(sha256=hashlib.sha256(der).digest())
        organization = RIVAL if der == b"DER of a rival" else ACME
        return SimpleNamespace(certificate=certificate, organization_identifier=organization)

    def desk(
        self,
        gateways: Gateways = Gateways((SECRET,)),
        *,
        questions: Rate | None = None,
        requests: Rate | None = None,
    ) -> IssuedTokenDesk:
        return IssuedTokenDesk(
            gateways=gateways,
            judge=self,
            clients=self,
            tokens=self,
            clock=lambda: self.now,
            issuer="https://bank.test",
            generic_client_id=GENERIC,
            questions=LocalRateLimiter(questions),
            requests=LocalRateLimiter(requests),
        )


@pytest.fixture
def world(monkeypatch) -> World:
    """The evidence of a revocation has tests of its own; here it is the hash of the token."""
    monkeypatch.setattr(
        issued_tokens,
        "event_of_token",
        lambda token, *_, event, **__: SimpleNamespace(evidence=token.token_hash.hex(), type=event),
    )
    return World()


def both(**changes) -> Gateways:
    known = {"secrets": (SECRET, OLD_SECRET), "certificates": _pinned(GATEWAY)} | changes
    return Gateways(**known)


def _pinned(der: bytes) -> frozenset[bytes]:
    return frozenset({hashlib.sha256(der).digest()})


@pytest.mark.parametrize(
    ("gateways", "bearer", "certificate"),
    [
        pytest.param(Gateways((SECRET,)), SECRET, None, id="the secret"),
        pytest.param(Gateways((OLD_SECRET, SECRET)), SECRET, None, id="the new secret"),
        pytest.param(Gateways((OLD_SECRET, SECRET)), OLD_SECRET, QWAC, id="the old secret"),
        pytest.param(both(secrets=()), None, GATEWAY, id="the certificate"),
        pytest.param(both(), SECRET, GATEWAY, id="both"),
    ],
)
def test_a_gateway_may_ask(gateways, bearer, certificate):
    gateways.check(bearer, certificate)


@pytest.mark.parametrize(
    ("gateways", "bearer", "certificate"),
    [
        pytest.param(Gateways(), None, None, id="nobody is named"),
        pytest.param(Gateways(), b"", None, id="nobody is named, an empty secret"),
        pytest.param(Gateways((SECRET,)), None, None, id="no secret"),
        pytest.param(Gateways((SECRET,)), SECRET[:-1], None, id="a part of the secret"),
        pytest.param(Gateways((SECRET,)), b"\xff", None, id="a secret of other bytes"),
        pytest.param(both(), SECRET, None, id="the secret without the certificate"),
        pytest.param(both(), SECRET, QWAC, id="the secret with another certificate"),
        pytest.param(both(), None, GATEWAY, id="the certificate without the secret"),
        pytest.param(both(secrets=()), None, OTHER_QWAC, id="another certificate"),
    ],
)
def test_nobody_else_may(gateways, bearer, certificate):
    with pytest.raises(TokenError) as refusal:
        gateways.check(bearer, certificate)
    assert refusal.value.code == "gateway_unknown"


def test_the_methods_are_those_that_are_needed():
    assert Gateways().methods == ()
    assert both().methods == ("Bearer", "self_signed_tls_client_auth")


async def test_gateways_ask_within_a_rate(world):
    desk = world.desk(questions=Rate(1, timedelta(minutes=1)))
    await desk.check_gateway(SECRET, None)
    with pytest.raises(RateLimitError):
        await desk.check_gateway(SECRET, None)
    with pytest.raises(TokenError):
        await desk.check_gateway(None, None)


async def test_an_active_token_is_described(world):
    told = await world.desk().introspect("text")
    assert (told.active, told.client_id, told.organization_identifier) == (True, ONE, ACME)
    assert told.cnf.x5t_s256 == TOKEN.x5t_s256


async def test_the_generic_client_needs_no_record(world):
    world.record = None
    world.found[TOKEN.token_hash] = replace(TOKEN, client_id=GENERIC)
    assert (await world.desk().introspect("text")).active


@pytest.mark.parametrize("state", [s for s in State if s is not State.ACTIVE])
async def test_a_token_of_a_client_that_is_not_active_is_not(world, state):
    world.record = ClientRecord(
        ONE, ACME, ClientMetadata(), (), AT, AT, 1, Standing(state, "x", AT)
    )
    assert await world.desk().introspect("text") == INACTIVE


async def test_a_token_of_a_client_that_is_gone_is_not_active(world):
    world.record = None
    assert await world.desk().introspect("text") == INACTIVE


async def test_an_unknown_token_is_not_active(world):
    assert await world.desk().introspect("another") == INACTIVE


async def test_a_token_ends_with_its_time(world):
    world.now = TOKEN.expires_at
    assert await world.desk().introspect("text") == INACTIVE


async def revoke(world, text="text", der=QWAC, **settings):
    await world.desk(**settings).revoke(text, peer_certificate=der, request_id=None)
    return world.revoked


async def test_whoever_shows_its_certificate_ends_a_token(world):
    assert await revoke(world) == [TOKEN]


@pytest.mark.parametrize(
    ("text", "der"),
    [
        pytest.param("another", QWAC, id="an unknown token"),
        pytest.param("text", b"DER of a rival", id="a token of another organisation"),
        pytest.param("text", OTHER_QWAC, id="a token bound to another certificate"),
    ],
)
async def test_nothing_happens_to_other_tokens(world, text, der):
    assert await revoke(world, text, der) == []


async def test_a_token_that_ended_by_itself_may_be_revoked(world):
    world.now = TOKEN.expires_at + timedelta(days=1)
    assert await revoke(world) == [TOKEN]


async def test_nobody_without_a_certificate_revokes(world):
    with pytest.raises(CertificateError):
        await revoke(world, der=None)


async def test_revocations_count_like_any_request(world):
    desk = world.desk(requests=Rate(1, timedelta(minutes=1)))
    await desk.revoke("another", peer_certificate=QWAC, request_id=None)
    with pytest.raises(RateLimitError):
        await desk.revoke("text", peer_certificate=QWAC, request_id=None)
    assert world.revoked == []
