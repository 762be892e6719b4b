"""The checks of one certificate that need no other: form, qualified and PSD2 content, use."""

import re
from datetime import datetime
from typing import Final

from cryptography.x509.oid import ExtendedKeyUsageOID

from enrol.eidas.certificate import Certificate
from enrol.eidas.organization import (
    OrganizationIdentifier,
    names_authority,
    nca_id_of,
    parse_legal_identifier,
)
from enrol.eidas.path import STRONG_HASHES
from enrol.eidas.qcstatements import (
    ROLE_MISMATCH,
    ROLES_MALFORMED,
    Psd2Statement,
    QcStatementFacts,
)
from enrol.eidas.rules import CertificateRules, CertificateUse
from enrol.errors import CertificateError, EntitlementError

RSA_EXPONENT: Final = 65537

_CLIENT_AUTH: Final = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
_TLS_BINDING: Final = "0.4.0.194115.1.0"
_QC_TYPE: Final = {CertificateUse.QWAC: "web", CertificateUse.QSEALC: "eseal"}
_NCA_ID: Final = re.compile(r"[A-Z]{2}-[A-Z]{2,8}")


def check_form(certificate: Certificate, rules: CertificateRules) -> None:
    """Raise unless it is a certificate of an end entity with a strong key and signature."""
    check_final(certificate)
    check_end_entity(certificate)
    check_strength(certificate, rules)


def check_final(certificate: Certificate) -> None:
    """Raise ``cert_is_precertificate`` for one of Certificate Transparency (RFC 6962 §3.1)."""
    if certificate.is_precertificate:
        raise CertificateError("cert_is_precertificate")


def check_end_entity(certificate: Certificate) -> None:
    """Raise ``cert_is_ca`` for the certificate of a CA (RFC 5280 §4.2.1.9)."""
    if certificate.is_ca:
        raise CertificateError("cert_is_ca")


def check_strength(certificate: Certificate, rules: CertificateRules) -> None:
    """Raise ``cert_weak_key`` unless the key and the signature's hash are strong (TS 119 312)."""
    if not _is_key_strong(certificate, rules) or certificate.signature_hash not in STRONG_HASHES:
        raise CertificateError("cert_weak_key")


def _is_key_strong(certificate: Certificate, rules: CertificateRules) -> bool:
    key = certificate.key
    if key.curve is not None:
        return key.curve in rules.curves
    fits = rules.minimum_rsa_bits <= key.bits <= rules.maximum_rsa_bits
    return fits and key.exponent == RSA_EXPONENT


def check_validity(certificate: Certificate, rules: CertificateRules, *, at: datetime) -> None:
    """Raise ``cert_expired`` or ``cert_not_yet_valid`` unless the period covers `at`."""
    if at - rules.clock_tolerance > certificate.not_after:
        raise CertificateError("cert_expired")
    if at + rules.clock_tolerance < certificate.not_before:
        raise CertificateError("cert_not_yet_valid")


def check_qualified(certificate: Certificate, use: CertificateUse) -> QcStatementFacts:
    """Return the qcStatements of a certificate that says it is qualified for `use` in the EU."""
    qc = check_qcstatements(certificate)
    check_compliance(qc)
    check_legislation(qc)
    check_qc_type(qc, use)
    return qc


def check_qcstatements(certificate: Certificate) -> QcStatementFacts:
    """Return the qcStatements; raises ``qcstatements_missing`` (EN 319 412-5 §4.1)."""
    if certificate.qc is None:
        raise CertificateError("qcstatements_missing")
    return certificate.qc


def check_compliance(qc: QcStatementFacts) -> None:
    """Raise ``cert_not_qualified`` without QcCompliance (EN 319 412-5 §4.2.1)."""
    if not qc.compliance:
        raise CertificateError("cert_not_qualified")


def check_legislation(qc: QcStatementFacts) -> None:
    """Raise ``cert_not_eu_qualified`` under the law of a third country (EN 319 412-5 §4.2.4)."""
    if qc.legislations:
        raise CertificateError("cert_not_eu_qualified")


def check_qc_type(qc: QcStatementFacts, use: CertificateUse) -> None:
    """Raise ``cert_wrong_qctype`` unless the one QcType is that of `use` (EN 319 412-5 §4.2.3)."""
    if qc.qc_types != (_QC_TYPE[use],):
        raise CertificateError("cert_wrong_qctype")


def check_psd2(qc: QcStatementFacts) -> Psd2Statement:
    """Return the PSD2 statement, well written; what it entitles to is not judged here."""
    psd2 = check_psd2_statement(qc)
    check_role_names(qc)
    check_nca_name(psd2)
    check_nca_id(psd2)
    return psd2


def check_psd2_statement(qc: QcStatementFacts) -> Psd2Statement:
    """Return the PSD2 statement (TS 119 495 §5.1, annex A).

    Raises CertificateError ``psd2_statement_missing``, ``psd2_roles_malformed``.
    """
    if qc.psd2 is None:
        raise CertificateError("psd2_statement_missing")
    if ROLES_MALFORMED in qc.deviations:
        raise CertificateError(ROLES_MALFORMED)
    return qc.psd2


def check_role_names(qc: QcStatementFacts) -> None:
    """Raise ``psd2_role_mismatch`` where a name is not that of its OID (TS 119 495 §5.2.2)."""
    if ROLE_MISMATCH in qc.deviations:
        raise CertificateError(ROLE_MISMATCH)


def check_nca_name(psd2: Psd2Statement) -> None:
    """Raise ``psd2_nca_name_empty`` (TS 119 495 §5.2.3, RTS art. 34(3)(b))."""
    if not psd2.nca_name.strip():
        raise CertificateError("psd2_nca_name_empty")


def check_nca_id(psd2: Psd2Statement) -> None:
    """Raise ``psd2_nca_id_malformed`` unless written like ``FR-ACPR`` (TS 119 495 §5.2.3)."""
    if _NCA_ID.fullmatch(psd2.nca_id) is None:
        raise CertificateError("psd2_nca_id_malformed")


def check_organization(certificate: Certificate, psd2: Psd2Statement) -> OrganizationIdentifier:
    """Return the one organizationIdentifier of the subject, of the authority of the statement."""
    identifier = check_organization_identifier(certificate)
    check_same_authority(identifier, psd2)
    return identifier


def check_organization_identifier(certificate: Certificate) -> OrganizationIdentifier:
    """Return the organizationIdentifier (TS 119 495 §5.2.1, RTS art. 34(2)).

    Raises CertificateError ``organization_identifier_malformed``, also where there is none or more
    than one.
    """
    if len(certificate.organization_identifiers) != 1:
        raise CertificateError("organization_identifier_malformed")
    return parse_legal_identifier(certificate.organization_identifiers[0])


def check_same_authority(identifier: OrganizationIdentifier, psd2: Psd2Statement) -> None:
    """Raise ``organization_identifier_nca_mismatch`` where the authorities differ (§5.2.1)."""
    if names_authority(identifier) and nca_id_of(identifier) != psd2.nca_id:
        raise CertificateError("organization_identifier_nca_mismatch")


def check_key_usage(certificate: Certificate, use: CertificateUse, rules: CertificateRules) -> None:
    """Raise ``cert_wrong_key_usage`` unless the key may be used so.

    A seal needs nonRepudiation or digitalSignature (EN 319 412-2 §4.3.2); a QWAC needs
    digitalSignature, and clientAuth where it limits its extendedKeyUsage (TS 119 495 §5.3).
    """
    usage = certificate.key_usage or frozenset()
    match use:
        case CertificateUse.QSEALC:
            allowed = not usage.isdisjoint({"non_repudiation", "digital_signature"})
        case CertificateUse.QWAC:
            allowed = "digital_signature" in usage and _may_connect(certificate, rules)
    if not allowed:
        raise CertificateError("cert_wrong_key_usage")


def _may_connect(certificate: Certificate, rules: CertificateRules) -> bool:
    extended = certificate.extended_key_usage
    if extended is None or _CLIENT_AUTH in extended:
        return True
    return not rules.require_client_auth_eku and extended != {_TLS_BINDING}


def check_entitled(psd2: Psd2Statement, rules: CertificateRules) -> None:
    """Raise EntitlementError unless the statement carries a role, of an authority that counts."""
    check_role(psd2)
    check_authority(psd2, rules)


def check_role(psd2: Psd2Statement) -> None:
    """Raise ``psd2_no_role`` (TS 119 495 §5.2.2, RTS art. 34(3)(a))."""
    if not psd2.roles:
        raise EntitlementError("psd2_no_role")


def check_authority(psd2: Psd2Statement, rules: CertificateRules) -> None:
    """Raise ``psd2_nca_not_eea``, ``psd2_nca_unknown`` (TS 119 495 §5.2.3, annex D)."""
    if psd2.nca_id[:2] not in rules.countries:
        raise EntitlementError("psd2_nca_not_eea")
    if rules.nca_ids is not None and psd2.nca_id not in rules.nca_ids:
        raise EntitlementError("psd2_nca_unknown")
