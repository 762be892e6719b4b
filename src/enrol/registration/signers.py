"""The keys a client may sign with from now on."""

from enrol.eidas.validate import CertificateUse, check_same_organization
from enrol.errors import CertificateError, ClientMetadataError, Finding
from enrol.oauth import jwk
from enrol.oauth.client_authentication import SELF_SIGNED
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.types import ClientId
from enrol.registration.certificates import CertificateJudge, check_form
from enrol.registration.dialect import CertificateForms
from enrol.registration.record import RegisteredKey
from enrol.registration.request import VerifiedRequest


async def registered_keys(
    verified: VerifiedRequest,
    metadata: ClientMetadata,
    *,
    client_id: ClientId,
    judge: CertificateJudge,
    forms: CertificateForms,
) -> tuple[RegisteredKey, ...]:
    """Return the keys of `metadata`, or where they have none the one that was fetched.

    Each is a QSealC, qualified now, of the organisation of the request, in a form the bank takes:
    one that may not sign is not registered. A client of ``self_signed_tls_client_auth`` brings
    those of its connections too, which never sign. Raises
    `ClientMetadataError` where a signed request leaves no key at all, and what the judge raises.
    """
    seal = verified.seal
    keys = metadata.jwks.keys if metadata.jwks is not None else ()
    named = [(jwk.certificates(key)[0], key.kid) for key in keys]
    if metadata.token_endpoint_auth_method == SELF_SIGNED:
        named = [each for each in named if not await _is_for_connections(verified, judge, each[0])]
    if not named and seal is not None and seal.named.url is not None:
        named = [(seal.named.der, None)]
    if not named and seal is not None:
        raise ClientMetadataError(Finding("member_missing", "jwks"))
    return tuple(
        [
            await _registered_key(verified, client_id, der=der, kid=kid, judge=judge, forms=forms)
            for der, kid in named
        ]
    )


async def _is_for_connections(
    verified: VerifiedRequest, judge: CertificateJudge, der: bytes
) -> bool:
    """Tell whether a certificate is a QWAC, qualified now, of the organisation of the request."""
    try:
        qwac = await judge.qwac(der, at=verified.at)
    except CertificateError:
        return False
    return qwac.organization_identifier == verified.organization_identifier


async def _registered_key(
    verified: VerifiedRequest,
    client_id: ClientId,
    *,
    der: bytes,
    kid: str | None,
    judge: CertificateJudge,
    forms: CertificateForms,
) -> RegisteredKey:
    seal = verified.seal
    if seal is not None and der == seal.named.der:
        qsealc, url = seal.qsealc, seal.named.url
    else:
        qsealc, url = await judge.qsealc(der, at=verified.at), None
        check_form(qsealc.certificate, forms, use=CertificateUse.QSEALC)
        check_same_organization(verified.qwac, qsealc)
    return RegisteredKey(
        client_id=client_id,
        organization_identifier=verified.organization_identifier,
        x5t_s256=x5t_s256(qsealc.certificate.sha256),
        certificate=der,
        kid=kid,
        url=url,
    )
