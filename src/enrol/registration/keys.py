"""Which certificate a ``keyId`` names: one registered before, one in the body, one to fetch."""

import hashlib
from dataclasses import dataclass

from enrol.eidas.certificate import parse_pem_certificate
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import SignatureError
from enrol.httpsig.keyid import CertificateUrl, KeyName, matches_certificate, parse_keyid
from enrol.oauth import jwk
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.types import ClientId
from enrol.registration.ports import CertificateFetcher, ClientStore


@dataclass(frozen=True, slots=True)
class NamedCertificate:
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
    ) -> NamedCertificate:
        """Return the certificate that `unverified_keyid` names; the rules are tried in this order.

        1. a key this organisation registered before, of client `client_id` first;
        2. a key in `jwks`, given on a first registration only; where it carries the same name as
           a registered key but another certificate, it is the one meant;
        3. a URL, fetched.

        Raises `SignatureError` ``KEY-2`` where nothing is named, or what the fetcher raises.
        """
        name = parse_keyid(unverified_keyid)
        url = name.url if isinstance(name, CertificateUrl) else None
        in_body = _find_in_body(jwks, name)
        registered = await self._find_registered(
            name, organization_identifier=organization_identifier, client_id=client_id
        )
        if registered is not None and in_body in (None, registered):
            return NamedCertificate(registered, url=url)
        if in_body is not None and jwks is not None:
            return NamedCertificate(in_body, intermediates=_intermediates(jwks, in_body), url=url)
        if isinstance(name, CertificateUrl):
            return await self._fetch(name)
        raise SignatureError("KEY-2")

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
        der = parse_pem_certificate(pem).der
        if matches_certificate(name, der, file=pem) is False:
            raise SignatureError("KEY-3")
        return NamedCertificate(der, url=name.url)


def _find_in_body(jwks: JsonWebKeySet | None, name: KeyName | CertificateUrl) -> bytes | None:
    """Return the first certificate of the key in `jwks` that `name` names, or None."""
    for key in jwks.keys if jwks is not None else ():
        chain = jwk.certificates(key)
        if chain and _is_named(key, chain[0], name):
            return chain[0]
    return None


def _is_named(key: JsonWebKey, der: bytes, name: KeyName | CertificateUrl) -> bool:
    if isinstance(name, CertificateUrl):
        return matches_certificate(name, der) is not False
    digest = hashlib.sha256(der)
    return name.text in (key.kid, x5t_s256(digest.digest()), digest.hexdigest())


def _intermediates(jwks: JsonWebKeySet, der: bytes) -> tuple[bytes, ...]:
    chains = (jwk.certificates(key) for key in jwks.keys)
    return next(chain[1:] for chain in chains if chain and chain[0] == der)
