"""Certificates of CAs, and what a CA signs with."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

YEAR = timedelta(days=365)
_CA_BEFORE, _CA_AFTER = 5 * YEAR, 10 * YEAR  # wide: expired certificates lie within
_ANY_POLICY = x509.ObjectIdentifier("2.5.29.32.0")


@dataclass(frozen=True, slots=True)
class Signer:
    """Whom a certificate names as its issuer, and the key that signs it.

    `chain` holds the certificates a peer needs below the CA it trusts.
    """

    name: x509.Name
    key: PrivateKey
    key_identifier: x509.AuthorityKeyIdentifier
    chain: tuple[x509.Certificate, ...] = ()


def signer(name: x509.Name, key: PrivateKey, chain: tuple[x509.Certificate, ...] = ()) -> Signer:
    """Return the signer of that name and key."""
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return Signer(name, key, identifier, chain)


def sign(unsigned: x509.CertificateBuilder, key: PrivateKey) -> x509.Certificate:
    """Sign with SHA-256, RSA by PKCS#1 v1.5 and ECDSA by RFC 6979: the same bytes every time."""
    if isinstance(key, rsa.RSAPrivateKey):
        return unsigned.sign(key, hashes.SHA256())
    return unsigned.sign(key, hashes.SHA256(), ecdsa_deterministic=True)


def start_of_day(at: datetime) -> datetime:
    """Return the first moment of the UTC day of `at`, which is aware."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def ca_certificate(
    subject: Signer, *, issuer: Signer, path_length: int, serial_number: int, at: datetime
) -> x509.Certificate:
    """Sign the certificate of a CA, valid for years around `at` (RFC 5280 §4.2.1)."""
    public_key = subject.key.public_key()
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    policies = x509.CertificatePolicies([x509.PolicyInformation(_ANY_POLICY, None)])
    unsigned = (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(issuer.name)
        .public_key(public_key)
        .serial_number(serial_number)
        .not_valid_before(start_of_day(at) - _CA_BEFORE)
        .not_valid_after(start_of_day(at) + _CA_AFTER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(issuer.key_identifier, critical=False)
        .add_extension(policies, critical=False)
    )
    return sign(unsigned, issuer.key)
