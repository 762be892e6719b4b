"""What a certificate will say, before it is signed: one value, so that a fault is one change."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from enrol.eidas.qcstatements import (
    PSD2_STATEMENT,
    QC_COMPLIANCE,
    QC_PDS,
    QC_STATEMENTS,
    QC_TYPE,
    QC_TYPE_OIDS,
    PdsLocations,
    PSD2QcType,
    PspRole,
    QcStatement,
    QcStatements,
    QcTypeIds,
)
from enrol.sandbox.ca import PublicKey, Signer
from enrol.sandbox.organization import Organization
from enrol.sandbox.seed import RSA_BITS

QTSP_HOST = "qtsp.example"
QTSP_SITE = f"http://{QTSP_HOST}"
CRL_PATH = "/ca.crl"

_DISCLOSURE = f"https://{QTSP_HOST}/pds_en.pdf"
_QCP_L = "0.4.0.194112.1.1"
_QEVCP_W = "0.4.0.194112.1.4"
_QCP_WEB_PSD2 = "0.4.0.19495.3.1"


class Kind(StrEnum):
    """The two certificates a TPP has: one for TLS, one for signatures."""

    QWAC = "qwac"
    QSEALC = "qsealc"


class OcspPath(StrEnum):
    """Where the test QTSP is asked about a certificate; all but the first answer with a fault."""

    HONEST = "/ocsp"
    REVOKED = "/ocsp/revoked"
    UNKNOWN = "/ocsp/unknown"
    STALE = "/ocsp/stale"
    FORGED = "/ocsp/forged"


class Issuer(Enum):
    """Who signs a certificate."""

    ISSUING_CA = "the issuing CA of the test QTSP"
    WITHDRAWN_CA = "a CA of the test QTSP whose service is withdrawn"
    SEAL_ONLY_CA = "a CA of the test QTSP that is listed for seals only"
    WEB_ONLY_CA = "a CA of the test QTSP that is listed for websites only"
    OTHER_CA = "a CA of another name that nobody trusts"
    IMPOSTOR = "a CA of the issuing CA's name and another key"
    ITSELF = "its own key"
    LEAF = "the certificate of another TPP, which is no CA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One certificate to be.

    `organization_identifiers` are those of its subject, in order; `qc_types` are names of
    `QC_TYPE_OIDS`; `ocsp_path` and `crl_path` are on the QTSP's site; moments are aware UTC.
    """

    kind: Kind
    organization: Organization
    organization_identifiers: tuple[str, ...]
    common_name: str
    roles: frozenset[PspRole]
    nca_id: str
    qc_types: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    extended_key_usages: tuple[x509.ObjectIdentifier, ...]
    subject_serial_number: str | None = None
    qc_compliance: bool = True
    psd2_statement: bool = True
    is_ca: bool = False
    precertificate: bool = False
    rsa_bits: int = RSA_BITS
    issuer: Issuer = Issuer.ISSUING_CA
    ocsp_path: OcspPath | None = OcspPath.HONEST
    crl_path: str | None = CRL_PATH

    @property
    def subject(self) -> x509.Name:
        """The subject, in the order of EN 319 412-3 §4.2.1."""
        values = [
            (NameOID.COUNTRY_NAME, self.organization.country),
            (NameOID.ORGANIZATION_NAME, self.organization.name),
            *((NameOID.ORGANIZATION_IDENTIFIER, value) for value in self.organization_identifiers),
            (NameOID.SERIAL_NUMBER, self.subject_serial_number),
            (NameOID.COMMON_NAME, self.common_name),
        ]
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in values if value])


def certificate_draft(
    kind: Kind,
    organization: Organization,
    *,
    roles: frozenset[PspRole],
    not_before: datetime,
    not_after: datetime,
) -> Draft:
    """Return the draft of a certificate without fault."""
    is_qwac = kind is Kind.QWAC
    return Draft(
        kind=kind,
        organization=organization,
        organization_identifiers=(organization.identifier,),
        common_name=organization.host if is_qwac else organization.name,
        roles=roles,
        nca_id=organization.nca_id,
        qc_types=("web" if is_qwac else "eseal",),
        not_before=not_before,
        not_after=not_after,
        extended_key_usages=(
            (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH) if is_qwac else ()
        ),
    )


def qc_statements(of: Draft) -> bytes:
    """Return the DER of the qcStatements extension (EN 319 412-5 §4, TS 119 495 §5.1)."""
    pds = PdsLocations([{"url": _DISCLOSURE, "language": "en"}])
    statements = []
    if of.qc_compliance:
        statements.append(QcStatement({"id": QC_COMPLIANCE}))
    if of.qc_types:
        types = QcTypeIds([QC_TYPE_OIDS[name] for name in of.qc_types])
        statements.append(QcStatement({"id": QC_TYPE, "info": types}))
    statements.append(QcStatement({"id": QC_PDS, "info": pds}))
    if of.psd2_statement:
        roles = [{"oid": role.oid, "name": role.value} for role in sorted(of.roles, key=_by_oid)]
        info = PSD2QcType(
            {"roles": roles, "nca_name": of.organization.nca_name, "nca_id": of.nca_id}
        )
        statements.append(QcStatement({"id": PSD2_STATEMENT, "info": info}))
    der: bytes = QcStatements(statements).dump()
    return der


def builder(
    of: Draft,
    public_key: PublicKey,
    *,
    issuer: Signer,
    serial_number: int,
) -> x509.CertificateBuilder:
    """Return the certificate of a draft, ready to be signed."""
    base = (
        x509.CertificateBuilder()
        .subject_name(of.subject)
        .issuer_name(issuer.name)
        .public_key(public_key)
        .serial_number(serial_number)
        .not_valid_before(of.not_before)
        .not_valid_after(of.not_after)
    )
    key_identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    for extension, critical in (
        (x509.BasicConstraints(ca=of.is_ca, path_length=None), True),
        (issuer.key_identifier, False),
        (key_identifier, False),
        (_key_usage(of, public_key), True),
        *_use(of),
        *_services(of),
        (
            x509.UnrecognizedExtension(x509.ObjectIdentifier(QC_STATEMENTS), qc_statements(of)),
            False,
        ),
    ):
        base = base.add_extension(extension, critical=critical)
    return base.add_extension(x509.PrecertPoison(), critical=True) if of.precertificate else base


def _by_oid(role: PspRole) -> str:
    return role.oid


def _key_usage(of: Draft, public_key: PublicKey) -> x509.KeyUsage:
    """Return the key usage of EN 319 412-4 §4.4 (web) or EN 319 412-2 §4.3.2, type C (seal)."""
    is_qwac = of.kind is Kind.QWAC
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=not is_qwac,
        key_encipherment=is_qwac and isinstance(public_key, rsa.RSAPublicKey),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=of.is_ca,
        crl_sign=of.is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _use(of: Draft) -> list[tuple[x509.ExtensionType, bool]]:
    """Return what says the certificate's use: policies, and for the web its names."""
    policies = (_QEVCP_W, _QCP_WEB_PSD2) if of.kind is Kind.QWAC else (_QCP_L,)
    use: list[tuple[x509.ExtensionType, bool]] = [
        (
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in policies]
            ),
            False,
        )
    ]
    if of.extended_key_usages:
        use.append((x509.ExtendedKeyUsage(of.extended_key_usages), False))
    if of.kind is Kind.QWAC:
        names = x509.SubjectAlternativeName([x509.DNSName(of.organization.host)])
        use.append((names, False))
    return use


def _services(of: Draft) -> list[tuple[x509.ExtensionType, bool]]:
    """Return where the QTSP is asked about the certificate, on a site that a sandbox serves."""
    access = [(AuthorityInformationAccessOID.CA_ISSUERS, "/issuing.cer")]
    if of.ocsp_path is not None:
        access.insert(0, (AuthorityInformationAccessOID.OCSP, of.ocsp_path))
    services: list[tuple[x509.ExtensionType, bool]] = [
        (
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(oid, site_url(path)) for oid, path in access]
            ),
            False,
        )
    ]
    if of.crl_path is not None:
        point = x509.DistributionPoint([site_url(of.crl_path)], None, None, None)
        services.append((x509.CRLDistributionPoints([point]), False))
    return services


def site_url(path: str) -> x509.UniformResourceIdentifier:
    """Return the name of a path on the QTSP's site."""
    return x509.UniformResourceIdentifier(f"{QTSP_SITE}{path}")
