"""What the desk does with a software statement, and what dialects say of one."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc.jwk import ECKey

from dialects import STET, changed, document
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ClientMetadataError
from enrol.oauth.jws import JwsKey, read_key_set
from enrol.oauth.metadata import ClientMetadata, parse_client_metadata
from enrol.oauth.software_statement import StatementRules
from enrol.registration.dialect import Dialect
from enrol.registration.granting import Granting
from enrol.registration.policy import Applicant, decide
from enrol.registration.request import Body, VerifiedRequest
from enrol.registration.software_statements import Issuer, StatementDesk
from enrol.server.problems import problem_of
from statement_issuer import AUDIENCE, ISSUER, StatementIssuer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACME = OrganizationIdentifier("PSDFR-ACPR-12345")
RULES = StatementRules(
    algorithms=frozenset({"ES256"}),
    audience=frozenset({AUDIENCE}),
    lifetime=timedelta(hours=24),
    leeway=timedelta(seconds=60),
)


class Published:
    """`IssuerKeys` that can be changed, and that count how often they were renewed."""

    def __init__(self, issuer: StatementIssuer) -> None:
        self.issuer = issuer
        self.seen = read_key_set(issuer.jwks)
        self.renewals = 0

    async def current(self) -> tuple[JwsKey, ...]:
        return self.seen

    async def renewed(self) -> tuple[JwsKey, ...]:
        self.renewals += 1
        self.seen = read_key_set(self.issuer.jwks)
        return self.seen


@pytest.fixture
def directory() -> StatementIssuer:
    return StatementIssuer()


@pytest.fixture
def keys(directory: StatementIssuer) -> Published:
    return Published(directory)


@pytest.fixture
def desk(keys: Published) -> StatementDesk:
    return StatementDesk({ISSUER: Issuer(RULES, keys)})


def request(at: datetime = NOW, **members: Any) -> VerifiedRequest:
    sent = document(**members)
    body = Body(sent, parse_client_metadata(sent))
    qwac = SimpleNamespace(organization_identifier=ACME)
    return VerifiedRequest("r", None, qwac, None, None, body, b"", b"", at)  # type: ignore[arg-type]  # what is looked at


def held(text: str) -> Any:
    """Return a client that was registered with a statement."""
    return SimpleNamespace(metadata=ClientMetadata(software_statement=text))


async def test_a_request_without_a_statement_is_left_alone(desk: StatementDesk) -> None:
    asked = request()
    assert await desk.apply(asked, replaces=None) is asked


async def test_the_members_of_a_statement_replace_those_of_the_request(
    desk: StatementDesk, directory: StatementIssuer
) -> None:
    text = directory.sign(directory.claims(NOW.timestamp(), client_name="By the directory"))
    applied = await desk.apply(request(software_statement=text), replaces=None)
    assert applied.body is not None
    assert applied.body.metadata.client_name == "By the directory"
    assert applied.body.metadata.software_id == "acme-app"
    assert applied.body.document["software_statement"] == text
    assert applied.statement is not None
    assert "client_name" in applied.statement.members


async def test_a_statement_has_one_name_and_one_digest(
    desk: StatementDesk, directory: StatementIssuer
) -> None:
    async def use_of(**claims: Any) -> Any:
        text = directory.sign(directory.claims(NOW.timestamp(), **claims))
        applied = await desk.apply(request(software_statement=text), replaces=None)
        assert applied.statement is not None
        return applied.statement.use

    first, other = await use_of(), await use_of(software_id="else")
    assert first.name == other.name
    assert first.digest != other.digest
    assert (await use_of(jti="statement-2")).name != first.name
    assert first.once


async def test_a_key_that_is_new_is_looked_for_once(
    desk: StatementDesk, directory: StatementIssuer, keys: Published
) -> None:
    directory.keys = {"k2": ECKey.generate_key("P-256")}
    text = directory.sign(directory.claims(NOW.timestamp()), kid="k2")
    await desk.apply(request(software_statement=text), replaces=None)
    assert keys.renewals == 1
    unknown = StatementIssuer(keys={"k3": ECKey.generate_key("P-256")})
    text = unknown.sign(unknown.claims(NOW.timestamp()), kid="k3")
    with pytest.raises(ClientMetadataError, match="statement_key"):
        await desk.apply(request(software_statement=text), replaces=None)
    assert keys.renewals == 2


async def test_keys_are_not_looked_for_where_a_known_one_did_not_sign(
    desk: StatementDesk, directory: StatementIssuer, keys: Published
) -> None:
    directory.keys["k1"] = ECKey.generate_key("P-256")  # not the one that is known
    text = directory.sign(directory.claims(NOW.timestamp()))
    with pytest.raises(ClientMetadataError, match="statement_signature"):
        await desk.apply(request(software_statement=text), replaces=None)
    assert keys.renewals == 0


async def test_an_issuer_nobody_named_is_asked_for_nothing(keys: Published) -> None:
    stranger = StatementIssuer("https://stranger.test")
    text = stranger.sign(stranger.claims(NOW.timestamp()))
    desk = StatementDesk({ISSUER: Issuer(RULES, keys)})
    with pytest.raises(ClientMetadataError, match="statement_issuer"):
        await desk.apply(request(software_statement=text), replaces=None)
    assert keys.renewals == 0


async def test_an_update_may_send_the_statement_it_has_although_that_expired(
    desk: StatementDesk, directory: StatementIssuer, keys: Published
) -> None:
    text = directory.sign(directory.claims(NOW.timestamp()))
    later = request(NOW + timedelta(days=30), software_statement=text)
    directory.keys = {"k2": ECKey.generate_key("P-256")}
    keys.seen = read_key_set(directory.jwks)
    applied = await desk.apply(later, replaces=held(text))
    assert applied.statement is not None
    assert applied.statement.key is None
    with pytest.raises(ClientMetadataError):
        await desk.apply(later, replaces=held("another"))
    with pytest.raises(ClientMetadataError, match="statement_issuer"):
        await StatementDesk({}).apply(later, replaces=held(text))


def taking(mode: str) -> Dialect:
    return changed("stet", ("[metadata]\n", f'[metadata]\nsoftware_statement = "{mode}"\n'))


def outcome(dialect: Dialect, **members: Any) -> ClientMetadata | tuple[str, str | None, str]:
    sent = document(**members)
    applicant = Applicant(ACME, frozenset({PspRole.PSP_AI, PspRole.PSP_PI}))
    try:
        return decide(sent, parse_client_metadata(sent), applicant=applicant, dialect=dialect)
    except ClientMetadataError as refusal:
        finding = refusal.findings[0]
        return finding.code, finding.member, problem_of(refusal).error


def test_a_statement_is_refused_ignored_taken_or_required_as_the_dialect_says() -> None:
    def kept(dialect: Dialect) -> str | None:
        granted = outcome(dialect, software_statement="text")
        assert isinstance(granted, ClientMetadata)
        return granted.software_statement

    assert kept(STET) is None
    assert kept(taking("ignored")) is None
    assert kept(taking("optional")) == kept(taking("required")) == "text"
    unapproved = "unapproved_software_statement"
    refused = outcome(taking("refused"), software_statement="text")
    assert refused == ("member_refused", "software_statement", unapproved)
    missing = outcome(taking("required"))
    assert missing == ("member_missing", "software_statement", "invalid_client_metadata")
    assert isinstance(outcome(taking("refused")), ClientMetadata)


def test_nothing_is_granted_by_a_statement_that_nobody_judges() -> None:
    with pytest.raises(ValueError, match="nobody judges"):
        Granting(None, None, taking("optional"), bytes, None)  # type: ignore[arg-type]  # refused before
