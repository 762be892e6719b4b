"""Which certificate a ``keyId`` names: one registered before, one in the body, one to fetch."""

import hashlib

import msgspec

from enrol.eidas.certificate import parse_pem_certificate
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import CertificateError, SignatureError, UnreadableCertificateError
from enrol.httpsig.keyid import CertificateUrl, KeyName, matches_certificate, parse_keyid
from enrol.oauth import jwk
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.types import ClientId
from enrol.registration.ports import CertificateFetcher, ClientStore


class NamedCertificate(msgspec.Struct, frozen=True):
    """The certificate a keyId names, not yet judged: DER, what may chain it up, its URL if any."""

    der: bytes
    intermediates: tuple[bytes, ...] = ()
    url: str | None = None


class KeyFinder:
    """Finds the certificate that a signature says it was made with."""

    def __init__(self, store: ClientStore, fetcher: CertificateFetcher) -> None:
        self._store = store
        self._fetcher = fetcher

    async def find(
        self,
        unverified_keyid: str,
        *,
        organization_identifier: OrganizationIdentifier,
        client_id: ClientId | None,
        jwks: JsonWebKeySet | None,
    ) -> tuple[NamedCertificate, ...]:
        """Return the certificates that `unverified_keyid` may mean, one or two.

        1. A key this organisation registered before, of client `client_id` first.
        2. A key in `jwks`, which the request registers. It stands for the registered one of that
           name when `client_id` is None; else both may be meant, since a certificate that is
           renewed may keep its name.
        3. A URL, fetched where the others have nothing.

        Raises `SignatureError` ``KEY-2`` where nothing is named, or what the fetcher raises.
        """
        known = await self.find_known(
            unverified_keyid,
            organization_identifier=organization_identifier,
            client_id=client_id,
            jwks=jwks,
        )
        if known:
            return known
        name = parse_keyid(unverified_keyid)
        if isinstance(name, CertificateUrl):
            return (await self._fetch(name),)
        raise SignatureError("KEY-2")

    async def find_known(
        self,
        unverified_keyid: str,
        *,
        organization_identifier: OrganizationIdentifier,
        client_id: ClientId | None,
        jwks: JsonWebKeySet | None,
    ) -> tuple[NamedCertificate, ...]:
        """Return what `find` finds without a way out, perhaps nothing."""
        name = parse_keyid(unverified_keyid)
        url = name.url if isinstance(name, CertificateUrl) else None
        chain = _find_in_body(jwks, name)
        brought = (NamedCertificate(chain[0], intermediates=chain[1:], url=url),) if chain else ()
        if brought and client_id is None:
            return brought
        registered = await self._find_registered(
            name, organization_identifier=organization_identifier, client_id=client_id
        )
        if registered is None:
            return brought
        found = NamedCertificate(registered, url=url)
        return (found, *(one for one in brought if one.der != registered))

    async def _find_registered(
        self,
        name: KeyName | CertificateUrl,
        *,
        organization_identifier: OrganizationIdentifier,
        client_id: ClientId | None,
    ) -> bytes | None:
        keyid = name.url if isinstance(name, CertificateUrl) else name.text
        keys = await self._store.find_keys(organization_identifier, keyid)
        if not keys and isinstance(name, CertificateUrl) and name.sha256 is not None:
            keys = await self._store.find_keys(organization_identifier, name.sha256)
        own = [key for key in keys if key.client_id == client_id]
        return (own or keys)[0].certificate if keys else None

    async def _fetch(self, name: CertificateUrl) -> NamedCertificate:
        pem = await self._fetcher.fetch(name.url)
        try:
            der = parse_pem_certificate(pem).der
        except UnreadableCertificateError as exc:
            raise CertificateError(exc.code) from exc  # it was not the caller who sent it
        if matches_certificate(name, der, file=pem) is False:
            raise SignatureError("KEY-3")
        return NamedCertificate(der, url=name.url)


def _find_in_body(jwks: JsonWebKeySet | None, name: KeyName | CertificateUrl) -> tuple[bytes, ...]:
    """Return the certificates of the first key in `jwks` that `name` names, or none."""
    for key in jwks.keys if jwks is not None else ():
        chain = jwk.certificates(key)
        if chain and _is_named(key, chain[0], name):
            return chain
    return ()


def _is_named(key: JsonWebKey, der: bytes, name: KeyName | CertificateUrl) -> bool:
    if isinstance(name, CertificateUrl):
        return matches_certificate(name, der) is not False
    if name.text == key.kid:
        return True
    digest = hashlib.sha256(der)
    return name.text in (x5t_s256(digest.digest()), digest.hexdigest())
