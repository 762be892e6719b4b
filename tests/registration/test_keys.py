"""Which certificate a keyId names: the three rules, in their order."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import SignatureError
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.types import ClientId
from enrol.registration.keys import KeyFinder, NamedCertificate
from enrol.registration.record import RegisteredKey
from enrol.sandbox import pki
from enrol.sandbox.seed import RandomKeys

ACME = OrganizationIdentifier("PSDFR-ACPR-12345")
URL = "https://tpp.example/qsealc.pem"
AT = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def certificates() -> tuple[bytes, bytes]:
    authority = pki.create_authority(RandomKeys(), at=AT)
    issued = [pki.issue(authority, at=AT, kind="qsealc").certificate for _ in range(2)]
    return issued[0].public_bytes(Encoding.DER), issued[1].public_bytes(Encoding.DER)


class Register:
    """The keys that are registered, by the names they are found by."""

    def __init__(self, **keys: tuple[str, bytes]) -> None:
        self.keys = [
            RegisteredKey(
                client_id=ClientId(client_id),
                organization_identifier=ACME,
                x5t_s256=x5t_s256(hashlib.sha256(der).digest()),
                certificate=der,
                kid=kid,
            )
            for client_id, (kid, der) in keys.items()
        ]

    async def find_keys(
        self, organization_identifier: OrganizationIdentifier, keyid: str
    ) -> tuple[RegisteredKey, ...]:
        assert organization_identifier == ACME
        digest = [hashlib.sha256(key.certificate).hexdigest() for key in self.keys]
        return tuple(
            key
            for key, sha256 in zip(self.keys, digest, strict=True)
            if keyid in (key.kid, key.url, key.x5t_s256, sha256)
        )


class Host:
    """A host that serves one certificate and remembers that it was asked."""

    def __init__(self, pem: bytes = b"") -> None:
        self.pem = pem
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        return self.pem


def jwks(*keys: tuple[str, bytes]) -> JsonWebKeySet:
    return JsonWebKeySet(
        tuple(
            JsonWebKey(kty="RSA", kid=kid, x5c=(base64.b64encode(der).decode(),))
            for kid, der in keys
        )
    )


def pem(der: bytes) -> bytes:
    text = base64.encodebytes(der).replace(b"\n", b"")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])


async def find(
    keyid: str,
    *,
    register: Register | None = None,
    host: Host | None = None,
    client_id: str | None = None,
    body: JsonWebKeySet | None = None,
) -> NamedCertificate:
    (named,) = await find_all(keyid, register=register, host=host, client_id=client_id, body=body)
    return named


async def find_all(
    keyid: str,
    *,
    register: Register | None = None,
    host: Host | None = None,
    client_id: str | None = None,
    body: JsonWebKeySet | None = None,
) -> tuple[NamedCertificate, ...]:
    finder = KeyFinder(register or Register(), host or Host())  # type: ignore[arg-type]
    return await finder.find(
        keyid,
        organization_identifier=ACME,
        client_id=ClientId(client_id) if client_id else None,
        jwks=body,
    )


async def test_an_update_may_be_signed_with_a_key_it_brings(
    certificates: tuple[bytes, bytes],
) -> None:
    one, two = certificates
    register = Register(a=("k", one))
    body = jwks(("k2", two))
    assert (await find("k2", register=register, client_id="a", body=body)).der == two


async def test_a_renewed_certificate_that_keeps_its_name_may_be_meant_as_well_as_the_old_one(
    certificates: tuple[bytes, bytes],
) -> None:
    one, two = certificates
    register = Register(a=("k", one))
    named = await find_all("k", register=register, client_id="a", body=jwks(("k", two)))
    assert [each.der for each in named] == [one, two]
    same = await find_all("k", register=register, client_id="a", body=jwks(("k", one)))
    assert [each.der for each in same] == [one]


async def test_a_registered_kid_is_found(certificates: tuple[bytes, bytes]) -> None:
    one, _ = certificates
    assert (await find("k", register=Register(a=("k", one)))).der == one


async def test_the_key_of_the_addressed_client_comes_first(
    certificates: tuple[bytes, bytes],
) -> None:
    one, two = certificates
    register = Register(a=("k", one), b=("k", two))
    assert (await find("k", register=register, client_id="b")).der == two
    assert (await find("k", register=register, client_id="c")).der == one


async def test_a_key_in_the_body_is_found_by_kid_thumbprint_or_hash(
    certificates: tuple[bytes, bytes],
) -> None:
    one, two = certificates
    digest = hashlib.sha256(two)
    for keyid in ("k2", x5t_s256(digest.digest()), digest.hexdigest()):
        assert (await find(keyid, body=jwks(("k1", one), ("k2", two)))).der == two


async def test_a_url_names_the_certificate_in_the_body_and_is_not_fetched(
    certificates: tuple[bytes, bytes],
) -> None:
    one, two = certificates
    host = Host()
    body = jwks(("k1", one), ("k2", two))
    assert (await find(URL, body=body, host=host)).der == one
    suffixed = f"https://tpp.example/cert_{hashlib.sha256(two).hexdigest()}"
    named = await find(suffixed, body=body, host=host)
    assert (named.der, named.url) == (two, suffixed)
    assert host.asked == []


async def test_the_body_is_meant_where_a_registered_name_is_used_again(
    certificates: tuple[bytes, bytes],
) -> None:
    old, new = certificates
    assert (await find("k", register=Register(a=("k", old)), body=jwks(("k", new)))).der == new


async def test_a_url_that_nothing_else_knows_is_fetched(certificates: tuple[bytes, bytes]) -> None:
    one, _ = certificates
    host = Host(pem(one))
    assert await find(URL, host=host) == NamedCertificate(one, url=URL)
    assert host.asked == [URL]


async def test_a_fetched_certificate_has_the_hash_its_url_says(
    certificates: tuple[bytes, bytes],
) -> None:
    one, two = certificates
    for digest in (hashlib.sha256(one), hashlib.sha256(pem(one))):
        url = f"https://tpp.example/cert_{digest.hexdigest()}"
        assert (await find(url, host=Host(pem(one)))).der == one
        with pytest.raises(SignatureError, match="KEY-3"):
            await find(url, host=Host(pem(two)))


async def test_a_name_that_names_nothing_is_refused() -> None:
    with pytest.raises(SignatureError, match="KEY-2"):
        await find("nobody")
