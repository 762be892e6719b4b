"""Certificates, CAs and revocation lists made for one test each; every value can be changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enrol.eidas.qcstatements import (
    PSD2_STATEMENT,
    QC_COMPLIANCE,
    QC_STATEMENTS,
    QC_TYPE,
    QC_TYPE_OIDS,
    PSD2QcType,
    PspRole,
    QcStatement,
    QcStatements,
    QcTypeIds,
)
from enrol.eidas.trust import TrustAnchors

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
QC_STATEMENTS_OID = x509.ObjectIdentifier(QC_STATEMENTS)
CLIENT_AND_SERVER = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
P256 = ec.SECP256R1()


@cache
def key(name: str = "leaf", curve: ec.EllipticCurve = P256):
    return ec.generate_private_key(curve)


@cache
def rsa_key(name: str = "leaf", bits: int = 2048):
    return rsa.generate_private_key(65537, bits)


def name(common_name: str, country: str = "FR", *extra: tuple[x509.ObjectIdentifier, str]):
    attributes = [(NameOID.COUNTRY_NAME, country), *extra, (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def key_usage(*usages: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in usages for usage in USAGES})


@dataclass(frozen=True)
class Authority:
    key: Any
    certificate: x509.Certificate

    @property
    def anchors(self) -> TrustAnchors:
        return TrustAnchors((self.certificate,))

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def mint_authority(
    common_name: str = "Test QTSP",
    *,
    private_key=None,
    issuer: Authority | None = None,
    path_length: int | None = None,
    usage=("key_cert_sign", "crl_sign"),
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    not_after: datetime = AT + 1000 * DAY,
) -> Authority:
    private_key = private_key or key(common_name)
    subject = name(common_name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - 1000 * DAY)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(*usage), critical=True)
    )
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    signer = issuer.key if issuer else private_key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Authority(private_key, builder.sign(signer, algorithm))


def qc_statements(
    *,
    compliance: bool = True,
    types: tuple[str, ...] | None = ("web",),
    roles: Iterable[tuple[str, str]] | None = None,
    nca_name: str = "Autorité de contrôle prudentiel et de résolution",
    nca_id: str = "FR-ACPR",
    psd2: bool = True,
    extra: Iterable[QcStatement] = (),
) -> bytes:
    statements = [QcStatement({"id": QC_COMPLIANCE})] if compliance else []
    if types is not None:
        ids = QcTypeIds([QC_TYPE_OIDS.get(kind, kind) for kind in types])
        statements.append(QcStatement({"id": QC_TYPE, "info": ids}))
    if psd2:
        pairs = roles if roles is not None else [(PspRole.PSP_AI.oid, "PSP_AI")]
        info = PSD2QcType(
            {
                "roles": [{"oid": oid, "name": role} for oid, role in pairs],
                "nca_name": nca_name,
                "nca_id": nca_id,
            }
        )
        statements.append(QcStatement({"id": PSD2_STATEMENT, "info": info}))
    return QcStatements([*statements, *extra]).dump()


def mint(
    authority: Authority,
    *,
    organizations: tuple[str, ...] = ("PSDFR-ACPR-12345",),
    common_name: str = "psd2.acme.example",
    country: str = "FR",
    public_key=None,
    serial_number: int | None = None,
    not_before: datetime = AT - 30 * DAY,
    not_after: datetime = AT + 30 * DAY,
    usage: tuple[str, ...] | None = ("digital_signature",),
    extended: tuple[x509.ObjectIdentifier, ...] = CLIENT_AND_SERVER,
    dns_names: tuple[str, ...] = ("psd2.acme.example",),
    qc: bytes | None = None,
    qc_critical: bool = False,
    with_qc: bool = True,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    hash_algorithm: hashes.HashAlgorithm | None = None,
    **signing,
) -> bytes:
    """Return the DER of a QWAC without fault, but for what is changed."""
    subject = name(
        common_name, country, *((NameOID.ORGANIZATION_IDENTIFIER, text) for text in organizations)
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject)
        .public_key(public_key or key().public_key())
        .serial_number(serial_number or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if usage is not None:
        extensions.append((key_usage(*usage), True))
    if extended:
        extensions.append((x509.ExtendedKeyUsage(extended), False))
    if dns_names:
        extensions.append((x509.SubjectAlternativeName(map(x509.DNSName, dns_names)), False))
    if with_qc:
        value = qc_statements() if qc is None else qc
        extensions.append((x509.UnrecognizedExtension(QC_STATEMENTS_OID, value), qc_critical))
    for extension, critical in (*extensions, *extra):
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(authority.key, hash_algorithm or hashes.SHA256(), **signing)
    return signed.public_bytes(Encoding.DER)


def mint_seal(authority: Authority, **changes) -> bytes:
    """Return the DER of a QSealC without fault, but for what is changed."""
    values = {
        "common_name": "Acme Paiements",
        "public_key": key("seal").public_key(),
        "usage": ("content_commitment",),
        "extended": (),
        "dns_names": (),
        "qc": qc_statements(types=("eseal",)),
    }
    return mint(authority, **(values | changes))


def mint_crl(
    authority: Authority,
    *revoked: int,
    this_update: datetime = AT - DAY,
    next_update: datetime = AT + DAY,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    entry_extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    private_key=None,
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
    )
    for serial_number in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(serial_number)
            .revocation_date(this_update)
        )
        for extension, critical in entry_extra:
            entry = entry.add_extension(extension, critical=critical)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(private_key or authority.key, hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


def mint_responder(
    authority: Authority,
    *,
    private_key=None,
    extended: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    no_check: bool = True,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    **changes,
) -> Authority:
    """Return an OCSP responder that the authority named, but for what is changed."""
    private_key = private_key or key("responder")
    more = [(x509.OCSPNoCheck(), False)] if no_check else []
    der = mint(
        authority,
        common_name="Test QTSP responder",
        organizations=(),
        public_key=private_key.public_key(),
        extended=extended,
        dns_names=(),
        with_qc=False,
        extra=[*more, *extra],
        **changes,
    )
    return Authority(private_key, x509.load_der_x509_certificate(der))


def mint_ocsp(
    authority: Authority,
    certificate: bytes,
    status: str = "good",
    *,
    by: Authority | None = None,
    about: Authority | None = None,
    this_update: datetime = AT - timedelta(hours=1),
    next_update: datetime | None = AT + timedelta(hours=1),
    certid_hash: hashes.HashAlgorithm = hashes.SHA1(),
    named_by: ocsp.OCSPResponderEncoding = ocsp.OCSPResponderEncoding.HASH,
    hash_algorithm: hashes.HashAlgorithm | None = None,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    with_certificate: bool = True,
) -> bytes:
    """Return the DER of an OCSP response of the authority, or of its responder `by`.

    The issuer's key in its CertID is that of `about`, by default of the authority.
    """
    signer = by or authority
    is_revoked = status == "revoked"
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=x509.load_der_x509_certificate(certificate),
            issuer=(about or authority).certificate,
            algorithm=certid_hash,
            cert_status=ocsp.OCSPCertStatus[status.upper()],
            this_update=this_update,
            next_update=next_update,
            revocation_time=this_update if is_revoked else None,
            revocation_reason=None,
        )
        .responder_id(named_by, signer.certificate)
    )
    if by is not None and with_certificate:
        builder = builder.certificates([by.certificate])
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(signer.key, hash_algorithm or hashes.SHA256())
    return signed.public_bytes(Encoding.DER)
