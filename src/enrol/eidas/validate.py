"""The verdict on one certificate: qualified, of a PSP, for this use, by an issuer believed."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.checks import (
    check_entitled,
    check_form,
    check_key_usage,
    check_organization,
    check_psd2,
    check_qualified,
    check_validity,
)
from enrol.eidas.listed import check_listed
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.path import Path, verify_path
from enrol.eidas.qcstatements import Psd2Statement, PspRole, QcStatementFacts
from enrol.eidas.revocation import (
    REVOCATION_UNCHECKED,
    Ground,
    RevocationEvidence,
    judge_revocation,
)
from enrol.eidas.rules import EEA_COUNTRIES, CertificateRules, CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.errors import CertificateError, UnavailableError

__all__ = [
    "EEA_COUNTRIES",
    "AssessedCertificate",
    "CertificateRules",
    "CertificateUse",
    "OfOrganization",
    "QualifiedCertificate",
    "assess",
    "check_same_organization",
    "check_trusted",
    "conclude",
    "validate",
]


@dataclass(frozen=True, slots=True)
class QualifiedCertificate:
    """A certificate that passed every check for `use`; only `validate` makes one.

    `issuer_sha256` is the digest of the DER of the CA that issued it, `recheck_at` the moment
    (aware UTC) from which the verdict must be made anew. `issuers` are the DER of the CAs above it,
    its own first, and `revocation_answers` what they said of revocation, kind and DER.
    `deviations` has ``revocation_unchecked`` where nothing was known of that and the rules let it
    pass.
    """

    certificate: Certificate
    use: CertificateUse
    organization_identifier: OrganizationIdentifier
    psp_roles: frozenset[PspRole]
    nca_id: str
    nca_name: str
    issuer_sha256: bytes
    deviations: tuple[str, ...]
    recheck_at: datetime
    issuers: tuple[bytes, ...] = field(default=(), repr=False)
    revocation_answers: tuple[Ground, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class AssessedCertificate:
    """A certificate of which only revocation is still to be judged; only `assess` makes one.

    `path` is verified: the certificate, each followed by its issuer, an anchor last.
    `listed_until` is the moment (aware UTC) from which the trusted lists must be asked anew, None
    where they were not asked.
    """

    certificate: Certificate
    use: CertificateUse
    path: Path
    qc: QcStatementFacts
    psd2: Psd2Statement
    organization_identifier: OrganizationIdentifier
    listed_until: datetime | None = None

    @property
    def links(self) -> tuple[tuple[Certificate, x509.Certificate], ...]:
        """Each certificate below the anchor, and its issuer."""
        between = (parse_certificate(ca.public_bytes(Encoding.DER)) for ca in self.path[1:-1])
        return tuple(zip((self.certificate, *between), self.path[1:], strict=True))


_DEFAULT_RULES = CertificateRules()


def validate(
    certificate: Certificate,
    *,
    use: CertificateUse,
    at: datetime,
    trust: TrustAnchors,
    revocation: RevocationEvidence,
    intermediates: tuple[bytes, ...] = (),
    rules: CertificateRules = _DEFAULT_RULES,
) -> QualifiedCertificate:
    """Judge a certificate presented for `use` at `at` (aware UTC), or raise at the first fault.

    `assess`, then `conclude`, where what is known of revocations is at hand already.
    """
    assessed = assess(
        certificate, use=use, at=at, trust=trust, intermediates=intermediates, rules=rules
    )
    return conclude(assessed, at=at, revocation=revocation, rules=rules)


def assess(
    certificate: Certificate,
    *,
    use: CertificateUse,
    at: datetime,
    trust: TrustAnchors,
    intermediates: tuple[bytes, ...] = (),
    rules: CertificateRules = _DEFAULT_RULES,
) -> AssessedCertificate:
    """Judge all that needs nothing from the issuer but its certificate; what is believed comes out.

    1. Form: no precertificate, no CA, a strong key and signature, valid now.
    2. Trust: a verified path to an anchor.
    3. Qualified for this use under EU law, by its own words and by the trusted lists.
    4. A PSD2 statement and one organizationIdentifier, of the same authority.
    5. A key usage that allows the use.

    Raises CertificateError, UnavailableError for what this side cannot know. `intermediates` are
    DER. The checks and codes are those of TS 119 495, EN 319 412 and RFC 5280.
    """
    # (1) Form.
    check_form(certificate, rules)
    check_validity(certificate, rules, at=at)
    # (2) Trust.
    check_current(trust, at=at)
    path = _path(certificate, trust, intermediates, at=at, purpose=_purpose(use, rules))
    # (3) Qualified.
    qc = check_qualified(certificate, use)
    listed_until = _listed_until(certificate, path, trust, use=use, at=at)
    # (4) PSD2.
    psd2 = check_psd2(qc)
    organization_identifier = check_organization(certificate, psd2)
    # (5) Use.
    check_key_usage(certificate, use, rules)
    return AssessedCertificate(
        certificate, use, path, qc, psd2, organization_identifier, listed_until
    )


def conclude(
    assessed: AssessedCertificate,
    *,
    at: datetime,
    revocation: RevocationEvidence,
    rules: CertificateRules = _DEFAULT_RULES,
) -> QualifiedCertificate:
    """Judge the rest: what cannot be believed comes first, then what is not entitled.

    6. Not revoked, nor any CA below the anchor.
    7. Entitled: a role, of an authority of the EEA that is accepted here.

    Raises CertificateError, UnavailableError ``revocation_unknown``, EntitlementError.
    """
    # (6) Revocation.
    found = _check_revocation(assessed, revocation, at=at, rules=rules)
    # (7) Entitlement.
    psd2 = assessed.psd2
    check_entitled(psd2, rules)
    issuers = tuple(ca.public_bytes(Encoding.DER) for ca in assessed.path[1:])
    return QualifiedCertificate(
        certificate=assessed.certificate,
        use=assessed.use,
        organization_identifier=assessed.organization_identifier,
        psp_roles=psd2.roles,
        nca_id=psd2.nca_id,
        nca_name=psd2.nca_name,
        issuer_sha256=sha256(issuers[0]).digest(),
        deviations=assessed.certificate.deviations + assessed.qc.deviations + found.deviations,
        recheck_at=found.until,
        issuers=issuers,
        revocation_answers=found.grounds,
    )


def check_current(trust: TrustAnchors, *, at: datetime) -> None:
    """Raise UnavailableError ``trust_list_unavailable`` once the list of the lists has ended."""
    if trust.listing is not None and at > trust.listing.believed_until:
        raise UnavailableError("trust_list_unavailable")


def check_trusted(
    certificate: Certificate,
    trust: TrustAnchors,
    *,
    intermediates: tuple[bytes, ...],
    use: CertificateUse,
    at: datetime,
    rules: CertificateRules,
) -> None:
    """Raise what `assess` raises of the path and of the trusted lists, whatever else is wrong."""
    check_current(trust, at=at)
    path = _path(certificate, trust, intermediates, at=at, purpose=_purpose(use, rules))
    _listed_until(certificate, path, trust, use=use, at=at)


def _path(
    certificate: Certificate,
    trust: TrustAnchors,
    intermediates: tuple[bytes, ...],
    *,
    at: datetime,
    purpose: x509.ObjectIdentifier | None,
) -> Path:
    """Return the verified path; an issuer that may be on a list not to be had is not refused."""
    try:
        return verify_path(certificate, trust, intermediates=intermediates, at=at, purpose=purpose)
    except CertificateError as exc:
        listing = trust.listing
        is_unlisted = exc.code == "cert_issuer_not_listed"
        if is_unlisted and listing and listing.is_missing_issuer_of(certificate.loaded):
            raise UnavailableError("trust_list_unavailable") from exc
        raise


def _listed_until(
    certificate: Certificate,
    path: Path,
    trust: TrustAnchors,
    *,
    use: CertificateUse,
    at: datetime,
) -> datetime | None:
    """Check what the lists say, and return until when; None where every anchor is believed."""
    if trust.listing is None:
        return None
    return check_listed(certificate, trust.listing.services_of(path[1:]), use=use, at=at)


def _purpose(use: CertificateUse, rules: CertificateRules) -> x509.ObjectIdentifier | None:
    """Return what a CA must allow where it limits its extendedKeyUsage; seals have no such."""
    needs_client_auth = use is CertificateUse.QWAC and rules.require_client_auth_eku
    return ExtendedKeyUsageOID.CLIENT_AUTH if needs_client_auth else None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a verdict takes from revocation: on what grounds, and until when it holds."""

    until: datetime
    grounds: tuple[Ground, ...]
    deviations: tuple[str, ...]


def _check_revocation(
    assessed: AssessedCertificate,
    evidence: RevocationEvidence,
    *,
    at: datetime,
    rules: CertificateRules,
) -> _Found:
    """Check all below the anchor; unknown passes only where the rules say so, and is marked."""
    tolerance = rules.clock_tolerance
    each = [
        judge_revocation(issued, issuer, evidence, at=at, tolerance=tolerance)
        for issued, issuer in assessed.links
    ]
    is_known = all(status.is_known for status in each)
    if rules.revocation_required and not is_known:
        raise UnavailableError("revocation_unknown")
    ends = [assessed.listed_until, evidence.ask_again_at, *(status.until for status in each)]
    lasting = [at + rules.verdict_lifetime, *(one.not_valid_after_utc for one in assessed.path)]
    return _Found(
        until=min(lasting + [end for end in ends if end is not None]),
        grounds=tuple(ground for status in each for ground in status.grounds),
        deviations=() if is_known else (REVOCATION_UNCHECKED,),
    )


class OfOrganization(Protocol):
    """A certificate and the organisation it names."""

    @property
    def certificate(self) -> Certificate:
        """The certificate."""

    @property
    def organization_identifier(self) -> OrganizationIdentifier:
        """The organizationIdentifier of its subject."""


def check_same_organization(qwac: OfOrganization, qsealc: OfOrganization) -> None:
    """Raise ``certificates_disagree`` unless both name one PSP and their keys differ.

    EBA-Op-2018-7 asks for both certificates of one PSP; one key serves one use.
    """
    same_psp = qwac.organization_identifier == qsealc.organization_identifier
    if not same_psp or qwac.certificate.public_key == qsealc.certificate.public_key:
        raise CertificateError("certificates_disagree")
