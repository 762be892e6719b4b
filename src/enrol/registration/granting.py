"""What a believed request would register: licence, metadata, keys, and the record of them."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from enrol.eidas.qcstatements import PspRole
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.certificates import CertificateJudge
from enrol.registration.client_id import new_client_id
from enrol.registration.client_secret import ClientSecrets
from enrol.registration.dialect import Dialect
from enrol.registration.entitlement import Entitlement, Licence
from enrol.registration.management_token import next_generation
from enrol.registration.policy import Applicant, decide
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.request import Body, VerifiedRequest
from enrol.registration.signers import registered_keys
from enrol.registration.software_statements import StatementDesk


def body_of(verified: VerifiedRequest) -> Body:
    """Return the body of a request, an empty one where it has none."""
    return verified.body or Body({}, ClientMetadata())


def applicant_of(
    verified: VerifiedRequest,
    roles: frozenset[PspRole],
    *,
    replaces: ClientRecord | None,
    secrets: ClientSecrets | None = None,
) -> Applicant:
    """Return who asks, with the roles that count; `secrets` judge one that comes in an update."""
    given = body_of(verified).document.get("client_secret") if replaces and secrets else None
    return Applicant(
        organization_identifier=verified.organization_identifier,
        psp_roles=roles,
        client_id=replaces.client_id if replaces else None,
        client_legal_id=replaces.metadata.client_legal_id if replaces else None,
        certificate=verified.qwac.certificate.loaded,
        brings_own_secret=bool(
            replaces and secrets and isinstance(given, str) and secrets.accepts(replaces, given)
        ),
    )


def draft_record(
    verified: VerifiedRequest,
    metadata: ClientMetadata,
    keys: tuple[RegisteredKey, ...],
    *,
    client_id: ClientId,
) -> ClientRecord:
    """Return the first version of a client."""
    at = verified.at.replace(microsecond=0)
    return ClientRecord(
        client_id=client_id,
        organization_identifier=verified.organization_identifier,
        metadata=metadata,
        keys=keys,
        issued_at=at,
        updated_at=at,
        version=1,
    )


@dataclass(frozen=True, slots=True)
class Granting:
    """Judges what requests ask for; nothing is stored.

    Without `statements` no dialect may take software statements.
    """

    judge: CertificateJudge
    entitlement: Entitlement
    dialect: Dialect
    random: Callable[[int], bytes]
    secrets: ClientSecrets
    statements: StatementDesk | None = None

    def __post_init__(self) -> None:
        """Refuse to register statements that nobody judges."""
        if self.statements is None and self.dialect.metadata.takes_statements:
            raise ValueError("the dialect takes software statements, and nobody judges them")

    def licence(self, verified: VerifiedRequest) -> Licence:
        """Return what the organisation may do; raises `EntitlementError`, `UnavailableError`."""
        return self.entitlement.judge(
            verified.organization_identifier, verified.psp_roles, at=verified.at
        )

    def metadata(
        self,
        verified: VerifiedRequest,
        roles: frozenset[PspRole],
        *,
        replaces: ClientRecord | None,
    ) -> ClientMetadata:
        """Return the metadata as granted; raises as `policy.decide`."""
        body = body_of(verified)
        applicant = applicant_of(verified, roles, replaces=replaces, secrets=self.secrets)
        return decide(body.document, body.metadata, applicant=applicant, dialect=self.dialect)

    async def keys(
        self, verified: VerifiedRequest, metadata: ClientMetadata, *, client_id: ClientId
    ) -> tuple[RegisteredKey, ...]:
        """Return the keys of `metadata`; raises as `signers.registered_keys`."""
        return await registered_keys(
            verified,
            metadata,
            client_id=client_id,
            judge=self.judge,
            forms=self.dialect.certificates,
        )

    async def new_record(self, verified: VerifiedRequest, licence: Licence) -> ClientRecord:
        """Return the record of a client that is registered for the first time."""
        client_id = self.new_client_id(verified)
        metadata = self.metadata(verified, licence.roles, replaces=None)
        keys = await self.keys(verified, metadata, client_id=client_id)
        return draft_record(verified, metadata, keys, client_id=client_id)

    async def next_record(
        self, verified: VerifiedRequest, current: ClientRecord, licence: Licence
    ) -> ClientRecord:
        """Return the record of a client as it is after an update."""
        metadata = self.metadata(verified, licence.roles, replaces=current)
        keys = await self.keys(verified, metadata, client_id=current.client_id)
        return msgspec.structs.replace(
            current,
            metadata=metadata,
            keys=keys,
            updated_at=verified.at.replace(microsecond=0),
            version=current.version + 1,
            token_generation=next_generation(current)
            if self.dialect.rotates_token
            else current.token_generation,
        )

    def new_client_id(self, verified: VerifiedRequest) -> ClientId:
        """Return a client_id in the form of the dialect."""
        agent = verified.body.metadata.client_legal_id if verified.body else None
        return new_client_id(
            self.dialect.client_id.form,
            legal_id=agent or verified.organization_identifier,
            at=verified.at,
            random=self.random,
        )
