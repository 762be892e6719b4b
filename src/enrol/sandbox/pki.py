"""The test QTSP in one file: a root, an issuing CA, and what they sign.

Every signature of the QTSP is RSA PKCS#1 v1.5 with SHA-256, so that the same keys and moments
give the same bytes. Nothing here is qualified, whatever the certificates claim.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from enrol.eidas.qcstatements import PspRole
from enrol.errors import ConfigurationError
from enrol.sandbox.ca import (
    YEAR,
    PrivateKey,
    Signer,
    ca_certificate,
    sign,
    signer,
    start_of_day,
)
from enrol.sandbox.draft import (
    CRL_PATH,
    Draft,
    Issuer,
    Kind,
    builder,
    certificate_draft,
    site_url,
)
from enrol.sandbox.faults import Fault, broken, check_faults, parse_faults
from enrol.sandbox.organization import ACME, organization, rival
from enrol.sandbox.seed import KeySource


class OtherCa(StrEnum):
    """The test QTSP's other CAs, each with a flaw in the trusted list."""

    WITHDRAWN = "withdrawn"
    SEAL_ONLY = "seal-only"
    WEB_ONLY = "web-only"


_OTHER_CA_OF: Mapping[Issuer, OtherCa] = {
    Issuer.WITHDRAWN_CA: OtherCa.WITHDRAWN,
    Issuer.SEAL_ONLY_CA: OtherCa.SEAL_ONLY,
    Issuer.WEB_ONLY_CA: OtherCa.WEB_ONLY,
}
DEFAULT_ROLES = frozenset({PspRole.PSP_AI, PspRole.PSP_PI})
_QTSP = "Enrol Sandbox QTSP (not qualified)"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key; `chain` is what a peer needs between it and a CA."""

    certificate: x509.Certificate
    private_key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Authority:
    """The test QTSP, and where the keys of what it issues come from."""

    root: Issued
    issuing: Issued
    others: Mapping[OtherCa, Issued]
    keys: KeySource

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        """The certificates a bank configures as trusted: root and issuing CA."""
        return (self.root.certificate, self.issuing.certificate)


def create_authority(keys: KeySource, *, at: datetime) -> Authority:
    """Make a test QTSP whose certificates span `at` (aware UTC) by years."""
    top = signer(_ca_name("Root CA"), keys.rsa_key("qtsp/root"))
    below = signer(_ca_name("Issuing CA"), keys.rsa_key("qtsp/issuing"))
    root, issuing = (
        ca_certificate(
            subject,
            issuer=top,
            path_length=path_length,
            serial_number=keys.serial_number("qtsp"),
            at=at,
        )
        for subject, path_length in ((top, 1), (below, 0))
    )
    others = {each: _other_ca(each, top, keys, at=at) for each in OtherCa}
    return Authority(Issued(root, top.key), Issued(issuing, below.key), others, keys)


def _other_ca(each: OtherCa, root: Signer, keys: KeySource, *, at: datetime) -> Issued:
    """Make a CA under the root, on P-256: those keys cost nothing."""
    name = f"{each.value.replace('-', ' ').capitalize()} CA"
    itself = signer(_ca_name(name), keys.ec_key(f"qtsp/{each.value}"))
    certificate = ca_certificate(
        itself,
        issuer=root,
        path_length=0,
        serial_number=keys.serial_number("qtsp"),
        at=at,
    )
    return Issued(certificate, itself.key)


def issue(
    authority: Authority,
    *,
    at: datetime,
    kind: Kind | str = Kind.QWAC,
    organization_identifier: str = ACME,
    roles: Iterable[PspRole | str] = DEFAULT_ROLES,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    faults: Iterable[Fault | str] = (),
    key: PrivateKey | None = None,
) -> Issued:
    """Issue a certificate with the faults asked for; all moments are aware UTC.

    It is valid for a year from the start of the day of `at` unless told otherwise. The fault
    ``revoked`` is a matter of `revocation_list` and changes nothing here. Raises
    ConfigurationError for an organisation, a role, a validity or faults that cannot be.
    """
    chosen = parse_faults(faults)
    check_faults(chosen, Kind(kind))
    begin, end = _validity(not_before, not_after, at)
    draft = certificate_draft(
        Kind(kind),
        organization(organization_identifier),
        roles=parse_roles(roles),
        not_before=begin,
        not_after=end,
    )
    draft = broken(draft, chosen, at=at)
    label = f"{draft.kind}/{draft.organization.identifier}"
    if key is None:
        key = authority.keys.rsa_key(label, draft.rsa_bits)
    elif Fault.WEAK_KEY in chosen:
        raise ConfigurationError(
            "sandbox_fault_not_applicable", "weak-key makes a key of its own; give none."
        )
    by = _signer_of(draft, authority, key, at=at)
    unsigned = builder(
        draft,
        key.public_key(),
        issuer=by,
        serial_number=authority.keys.serial_number(label),
    )
    return Issued(sign(unsigned, by.key), key, by.chain)


def parse_roles(names: Iterable[PspRole | str]) -> frozenset[PspRole]:
    """Read names of roles; raises ConfigurationError ``sandbox_role_unknown`` listing them."""
    known = {role.value: role for role in PspRole}
    try:
        return frozenset(known[name] for name in names)
    except KeyError as exc:
        raise ConfigurationError(
            "sandbox_role_unknown", f"There is no such role; there are: {', '.join(known)}."
        ) from exc


def revocation_list(
    authority: Authority,
    *,
    revoked: Iterable[x509.RevokedCertificate] = (),
    number: int = 1,
    at: datetime,
) -> x509.CertificateRevocationList:
    """Sign the issuing CA's revocation list as of `at`, good for a year (RFC 5280 §5).

    It covers the certificates that name it, and no others.
    """
    by = signer(authority.issuing.certificate.subject, authority.issuing.private_key)
    base = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.name)
        .last_update(at)
        .next_update(at + YEAR)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(by.key_identifier, critical=False)
        .add_extension(_scope(), critical=True)
    )
    for entry in revoked:
        base = base.add_revoked_certificate(entry)
    return base.sign(by.key, hashes.SHA256())


def _scope() -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=[site_url(CRL_PATH)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def revoke(
    authority: Authority,
    current: x509.CertificateRevocationList,
    *,
    serial_number: int,
    at: datetime,
) -> x509.CertificateRevocationList:
    """Return the list that follows `current`, with one more certificate revoked at `at`."""
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(serial_number)
        .revocation_date(at)
        .add_extension(x509.CRLReason(x509.ReasonFlags.privilege_withdrawn), critical=False)
        .build()
    )
    number = current.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return revocation_list(authority, revoked=(*current, entry), number=number + 1, at=at)


def _validity(
    not_before: datetime | None, not_after: datetime | None, at: datetime
) -> tuple[datetime, datetime]:
    """Complete the validity: a year, from the start of the day unless one end is given."""
    today = start_of_day(at)
    begin = not_before or (min(today, not_after - YEAR) if not_after else today)
    end = not_after or begin + YEAR
    if end <= begin:
        raise ConfigurationError(
            "sandbox_validity", "A certificate must end after it begins: not_before < not_after."
        )
    return begin, end


def _signer_of(draft: Draft, authority: Authority, key: PrivateKey, *, at: datetime) -> Signer:
    """Return who signs this draft."""
    issuing = signer(authority.issuing.certificate.subject, authority.issuing.private_key)
    match draft.issuer:
        case Issuer.ISSUING_CA:
            return issuing
        case Issuer.IMPOSTOR:
            return replace(issuing, key=authority.keys.rsa_key("impostor"))
        case Issuer.OTHER_CA:
            return signer(_ca_name("Stranger CA"), authority.keys.rsa_key("stranger"))
        case Issuer.ITSELF:
            return signer(draft.subject, key)
        case Issuer.WITHDRAWN_CA | Issuer.SEAL_ONLY_CA | Issuer.WEB_ONLY_CA:
            other_ca = authority.others[_OTHER_CA_OF[draft.issuer]]
            return signer(other_ca.certificate.subject, other_ca.private_key)
        case Issuer.LEAF:
            other = rival(draft.organization).identifier
            leaf = issue(authority, at=at, kind=draft.kind, organization_identifier=other)
            return signer(leaf.certificate.subject, leaf.private_key, (leaf.certificate,))


def _ca_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _QTSP),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, "NTRFR-000000000"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Enrol Sandbox {common_name}"),
        ]
    )
