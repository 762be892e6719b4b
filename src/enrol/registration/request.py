"""Requests on their way from bytes to what is believed."""

from datetime import datetime

import msgspec

from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.eidas.validate import QualifiedCertificate
from enrol.errors import ClaimedCertificateError, RefusalError
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.verify import VerifiedSignature
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.strict_json import JsonObject
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.keys import NamedCertificate
from enrol.registration.ports import LedgerEntry
from enrol.registration.stated import AcceptedStatement


class UnverifiedRequest(msgspec.Struct, frozen=True):
    """A request as received: its id, its bytes, the client it addresses and the peer's certificate.

    `peer_certificate` is the DER the TLS end checked possession of, None where there was none.
    `claims_certificate` tells of a header field that claims one, which proves nothing.
    """

    request_id: RequestId
    message: HttpMessage
    peer_certificate: bytes | None
    client_id: ClientId | None = None
    claims_certificate: bool = False


def check_claim(*, claims_certificate: bool) -> None:
    """Refuse a request that claims a certificate instead of showing it."""
    if claims_certificate:
        raise ClaimedCertificateError("certificate_claimed")


class Body(msgspec.Struct, frozen=True):
    """A request body: the JSON object and the metadata of the contract in it."""

    document: JsonObject
    metadata: ClientMetadata


class Seal(msgspec.Struct, frozen=True):
    """A signature that holds, and the certificate it was made with: as named, and as judged.

    `policy` is what the signature was held against.
    """

    signature: VerifiedSignature
    policy: SignaturePolicy
    named: NamedCertificate
    qsealc: QualifiedCertificate


class VerifiedRequest(msgspec.Struct, frozen=True):
    """A request whose sender, certificate, token, body and signature belong together.

    `seal` is None for a request that came unsigned where its dialect lets it. `statement` is the
    software statement that `body` says the same as, which `software_statements` judged.
    """

    request_id: RequestId
    client_id: ClientId | None
    qwac: QualifiedCertificate
    seal: Seal | None
    message: HttpMessage
    body: Body | None
    ledger_key: bytes
    signature_digest: bytes
    at: datetime
    statement: AcceptedStatement | None = None

    @property
    def organization_identifier(self) -> OrganizationIdentifier:
        """The organisation that every credential of the request names."""
        return self.qwac.organization_identifier

    @property
    def psp_roles(self) -> frozenset[PspRole]:
        """The roles that every certificate of the request carries."""
        roles = self.qwac.psp_roles
        return roles & self.seal.qsealc.psp_roles if self.seal is not None else roles


class RepeatedRequest(msgspec.Struct, frozen=True):
    """A request whose very bytes were answered before; nothing of it is carried out again.

    `refusal` is what it would be answered with otherwise.
    """

    request_id: RequestId
    entry: LedgerEntry
    refusal: RefusalError
