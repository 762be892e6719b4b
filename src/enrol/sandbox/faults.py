"""Broken certificates on demand: every fault, what it breaks, and the change that makes it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.x509.oid import ExtendedKeyUsageOID

from enrol.errors import ConfigurationError
from enrol.sandbox.draft import Draft, Issuer, Kind, OcspPath
from enrol.sandbox.organization import rival

_DAY = timedelta(days=1)
_MONTH = timedelta(days=30)
_YEAR = timedelta(days=365)


class Fault(StrEnum):
    """What can be wrong with a certificate; the values are the names on the command line."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    OCSP_REVOKED = "ocsp-revoked"
    OCSP_UNKNOWN = "ocsp-unknown"
    OCSP_STALE = "ocsp-stale"
    OCSP_FORGED = "ocsp-forged"
    NO_REVOCATION_INFO = "no-revocation-info"
    WRONG_CA = "wrong-ca"
    FORGED_ISSUER = "forged-issuer"
    SELF_SIGNED = "self-signed"
    WITHDRAWN_ISSUER = "withdrawn-issuer"
    SEAL_ONLY_ISSUER = "seal-only-issuer"
    WEB_ONLY_ISSUER = "web-only-issuer"
    NOT_QUALIFIED_AT_ISSUE = "not-qualified-at-issue"
    LEAF_AS_CA = "leaf-as-ca"
    CA_CERTIFICATE = "ca-certificate"
    WEAK_KEY = "weak-key"
    PRECERTIFICATE = "precertificate"
    NO_CLIENT_AUTH = "no-client-auth"
    NO_QC_COMPLIANCE = "no-qc-compliance"
    NO_QCTYPE = "no-qctype"
    WRONG_QCTYPE = "wrong-qctype"
    NO_PSD2_STATEMENT = "no-psd2-statement"
    NO_ROLE = "no-role"
    BAD_NCA_ID = "bad-nca-id"
    OTHER_NCA = "other-nca"
    OTHER_ORGANIZATION = "other-organization"
    DOUBLE_ORGANIZATION_IDENTIFIER = "double-organization-identifier"
    ORGANIZATION_IN_CN_ONLY = "organization-in-cn-only"


@dataclass(frozen=True, slots=True)
class _Breakage:
    """What a fault does, in words and as a change of the draft at a moment (aware UTC)."""

    meaning: str
    change: Callable[[Draft, datetime], Draft]


def _expired(draft: Draft, at: datetime) -> Draft:
    return replace(draft, not_before=at - _YEAR, not_after=at - _DAY)


def _not_yet_valid(draft: Draft, at: datetime) -> Draft:
    return replace(draft, not_before=at + _MONTH, not_after=at + _MONTH + _YEAR)


def _not_qualified_at_issue(draft: Draft, at: datetime) -> Draft:
    return replace(draft, not_before=at - 4 * _YEAR - 180 * _DAY, not_after=at + _YEAR)


def _wrong_qctype(draft: Draft, _: datetime) -> Draft:
    return replace(draft, qc_types=("eseal" if draft.kind is Kind.QWAC else "web",))


def _other_organization(draft: Draft, _: datetime) -> Draft:
    other = rival(draft.organization)
    return replace(
        draft,
        organization=other,
        organization_identifiers=(other.identifier,),
        common_name=other.host if draft.kind is Kind.QWAC else other.name,
        nca_id=other.nca_id,
    )


def _double_organization_identifier(draft: Draft, _: datetime) -> Draft:
    own = draft.organization
    return replace(draft, organization_identifiers=(own.identifier, rival(own).identifier))


def _organization_in_cn_only(draft: Draft, _: datetime) -> Draft:
    identifier = draft.organization.identifier[:64]  # ub-common-name, ub-serial-number
    return replace(
        draft,
        organization_identifiers=(),
        common_name=identifier,
        subject_serial_number=identifier,
    )


def _other_nca(draft: Draft, _: datetime) -> Draft:
    return replace(draft, nca_id="DE-BAFIN" if draft.nca_id != "DE-BAFIN" else "FR-ACPR")


def _unchanged(draft: Draft, _: datetime) -> Draft:
    return draft


_BREAKAGES: Mapping[Fault, _Breakage] = {
    Fault.EXPIRED: _Breakage("ended a day ago", _expired),
    Fault.NOT_YET_VALID: _Breakage("begins in 30 days", _not_yet_valid),
    Fault.REVOKED: _Breakage("its serial number is in the revocation list ca.crl", _unchanged),
    Fault.OCSP_REVOKED: _Breakage(
        "its OCSP responder says revoked, though ca.crl does not name it",
        lambda draft, _: replace(draft, ocsp_path=OcspPath.REVOKED),
    ),
    Fault.OCSP_UNKNOWN: _Breakage(
        "its OCSP responder does not know it, and no revocation list speaks for it",
        lambda draft, _: replace(draft, ocsp_path=OcspPath.UNKNOWN, crl_path=None),
    ),
    Fault.OCSP_STALE: _Breakage(
        "its OCSP responder repeats an old answer, and no revocation list speaks for it",
        lambda draft, _: replace(draft, ocsp_path=OcspPath.STALE, crl_path=None),
    ),
    Fault.OCSP_FORGED: _Breakage(
        "a stranger signs its OCSP answers, and no revocation list speaks for it",
        lambda draft, _: replace(draft, ocsp_path=OcspPath.FORGED, crl_path=None),
    ),
    Fault.NO_REVOCATION_INFO: _Breakage(
        "names neither an OCSP responder nor a revocation list",
        lambda draft, _: replace(draft, ocsp_path=None, crl_path=None),
    ),
    Fault.WRONG_CA: _Breakage(
        "signed by a CA of another name that nobody trusts",
        lambda draft, _: replace(draft, issuer=Issuer.OTHER_CA),
    ),
    Fault.FORGED_ISSUER: _Breakage(
        "names the issuing CA and its key identifier, signed by another key",
        lambda draft, _: replace(draft, issuer=Issuer.IMPOSTOR),
    ),
    Fault.SELF_SIGNED: _Breakage(
        "signed by its own key", lambda draft, _: replace(draft, issuer=Issuer.ITSELF)
    ),
    Fault.WITHDRAWN_ISSUER: _Breakage(
        "signed by a CA whose service the trusted list has withdrawn a year ago",
        lambda draft, _: replace(draft, issuer=Issuer.WITHDRAWN_CA),
    ),
    Fault.SEAL_ONLY_ISSUER: _Breakage(
        "QWAC, signed by a CA that is listed for seals only",
        lambda draft, _: replace(draft, issuer=Issuer.SEAL_ONLY_CA),
    ),
    Fault.WEB_ONLY_ISSUER: _Breakage(
        "QSealC, signed by a CA that is listed for websites only",
        lambda draft, _: replace(draft, issuer=Issuer.WEB_ONLY_CA),
    ),
    Fault.NOT_QUALIFIED_AT_ISSUE: _Breakage(
        "issued years ago, before the trusted list granted the issuing CA",
        _not_qualified_at_issue,
    ),
    Fault.LEAF_AS_CA: _Breakage(
        "signed by another TPP's good certificate, which is no CA and follows in the file",
        lambda draft, _: replace(draft, issuer=Issuer.LEAF),
    ),
    Fault.CA_CERTIFICATE: _Breakage(
        "basicConstraints and keyUsage of a CA", lambda draft, _: replace(draft, is_ca=True)
    ),
    Fault.WEAK_KEY: _Breakage(
        "RSA key of 1024 bits", lambda draft, _: replace(draft, rsa_bits=1024)
    ),
    Fault.PRECERTIFICATE: _Breakage(
        "carries the poison extension of Certificate Transparency",
        lambda draft, _: replace(draft, precertificate=True),
    ),
    Fault.NO_CLIENT_AUTH: _Breakage(
        "QWAC for servers only: extended key usage without clientAuth",
        lambda draft, _: replace(draft, extended_key_usages=(ExtendedKeyUsageOID.SERVER_AUTH,)),
    ),
    Fault.NO_QC_COMPLIANCE: _Breakage(
        "does not claim to be qualified (QcCompliance)",
        lambda draft, _: replace(draft, qc_compliance=False),
    ),
    Fault.NO_QCTYPE: _Breakage("no QcType", lambda draft, _: replace(draft, qc_types=())),
    Fault.WRONG_QCTYPE: _Breakage(
        "QcType of the other kind: eseal in a QWAC, web in a QSealC", _wrong_qctype
    ),
    Fault.NO_PSD2_STATEMENT: _Breakage(
        "no PSD2 statement", lambda draft, _: replace(draft, psd2_statement=False)
    ),
    Fault.NO_ROLE: _Breakage(
        "PSD2 statement with an empty list of roles",
        lambda draft, _: replace(draft, roles=frozenset()),
    ),
    Fault.BAD_NCA_ID: _Breakage(
        "nCAId without its hyphen",
        lambda draft, _: replace(draft, nca_id=draft.nca_id.replace("-", "")),
    ),
    Fault.OTHER_NCA: _Breakage(
        "nCAId is not the authority of the organizationIdentifier", _other_nca
    ),
    Fault.OTHER_ORGANIZATION: _Breakage(
        "names another organisation than the one asked for", _other_organization
    ),
    Fault.DOUBLE_ORGANIZATION_IDENTIFIER: _Breakage(
        "a second organizationIdentifier, of another organisation, after the first",
        _double_organization_identifier,
    ),
    Fault.ORGANIZATION_IN_CN_ONLY: _Breakage(
        "identifier in CN and serialNumber, no organizationIdentifier", _organization_in_cn_only
    ),
}

MEANINGS: Mapping[Fault, str] = {fault: breakage.meaning for fault, breakage in _BREAKAGES.items()}

_ONLY_FOR: Mapping[Fault, tuple[Kind, str]] = {
    Fault.NO_CLIENT_AUTH: (Kind.QWAC, "a QSealC has no extended key usage"),
    Fault.SEAL_ONLY_ISSUER: (Kind.QWAC, "a CA that is listed for seals may issue a QSealC"),
    Fault.WEB_ONLY_ISSUER: (Kind.QSEALC, "a CA that is listed for websites may issue a QWAC"),
}
_EXCLUSIVE = (
    {Fault.EXPIRED, Fault.NOT_YET_VALID, Fault.NOT_QUALIFIED_AT_ISSUE},
    {
        Fault.REVOKED,
        Fault.OCSP_REVOKED,
        Fault.OCSP_UNKNOWN,
        Fault.OCSP_STALE,
        Fault.OCSP_FORGED,
        Fault.NO_REVOCATION_INFO,
        Fault.WRONG_CA,
        Fault.FORGED_ISSUER,
        Fault.SELF_SIGNED,
        Fault.LEAF_AS_CA,
        Fault.WITHDRAWN_ISSUER,
        Fault.SEAL_ONLY_ISSUER,
        Fault.WEB_ONLY_ISSUER,
    },
    {Fault.NO_QCTYPE, Fault.WRONG_QCTYPE},
    {Fault.NO_PSD2_STATEMENT, Fault.NO_ROLE},
    {Fault.NO_PSD2_STATEMENT, Fault.BAD_NCA_ID, Fault.OTHER_NCA},
    {
        Fault.OTHER_ORGANIZATION,
        Fault.DOUBLE_ORGANIZATION_IDENTIFIER,
        Fault.ORGANIZATION_IN_CN_ONLY,
    },
    {Fault.OTHER_ORGANIZATION, Fault.BAD_NCA_ID, Fault.OTHER_NCA},
)


def parse_faults(names: Iterable[str]) -> frozenset[Fault]:
    """Read names of faults; raises ConfigurationError ``sandbox_fault_unknown`` listing them."""
    known = {fault.value: fault for fault in Fault}
    try:
        return frozenset(known[name] for name in names)
    except KeyError as exc:
        raise ConfigurationError(
            "sandbox_fault_unknown", f"There is no such fault; there are: {', '.join(known)}."
        ) from exc


def check_faults(faults: frozenset[Fault], kind: Kind) -> None:
    """Refuse faults of which one would hide another, or that the kind cannot have.

    Raises ConfigurationError ``sandbox_faults_exclusive`` or ``sandbox_fault_not_applicable``.
    """
    for fault in sorted(faults & _ONLY_FOR.keys()):
        needed, why = _ONLY_FOR[fault]
        if kind is not needed:
            raise ConfigurationError(
                "sandbox_fault_not_applicable",
                f"{fault} is not a fault of this kind of certificate: {why}.",
            )
    for group in _EXCLUSIVE:
        if len(both := faults & group) > 1:
            raise ConfigurationError(
                "sandbox_faults_exclusive",
                f"One certificate cannot show {' and '.join(sorted(both))} at once;"
                " issue one certificate for each.",
            )


def broken(draft: Draft, faults: frozenset[Fault], *, at: datetime) -> Draft:
    """Return the draft with every fault in it; `at` is aware UTC."""
    for fault in sorted(faults):
        draft = _BREAKAGES[fault].change(draft, at)
    return draft
