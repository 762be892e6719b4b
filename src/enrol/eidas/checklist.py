"""The 29 checks of a certificate at a registration, by number; the same functions that judge."""

from collections.abc import Callable, Iterable
from typing import Final

from enrol.eidas import checks
from enrol.eidas.numbered_check import Check, Subject, UndecidedError
from enrol.eidas.rules import CertificateUse
from enrol.errors import CertificateError

QWAC: Final = CertificateUse.QWAC
QSEALC: Final = CertificateUse.QSEALC

NO_TRUST: Final = "No bank was named: it is the bank that says whom it trusts."
NO_LISTS: Final = "This bank believes CAs named to it, whatever the trusted lists say."
NOT_READ: Final = "The certificate could not be read."
NOT_YET_REVOCATION: Final = "Asked only of a certificate that passes checks 1 to 22."
NOT_REQUIRED: Final = "Nothing is known of it, and this bank accepts that."
NO_REGISTER: Final = "No register of authorised PSPs is asked here."
NO_SCOPE: Final = "It depends on the scope that a registration asks for."
NO_SIGNATURE: Final = "It takes a signature, or a TLS connection, made with the key."
NO_KEYID: Final = "It takes the keyId of a signature."
NO_PAIR: Final = "It takes a QWAC and a QSealC, each with an organizationIdentifier."
NO_CLIENT: Final = "It is repeated of the certificates of registered clients, at least daily."


def _check_nca_id(subject: Subject) -> None:
    checks.check_nca_id(subject.psd2)
    checks.check_authority(subject.psd2, subject.rules)


def _check_organization(subject: Subject) -> None:
    identifier = checks.check_organization_identifier(subject.certificate)
    psd2 = subject.psd2
    try:
        checks.check_nca_id(psd2)
    except CertificateError as exc:
        raise UndecidedError("Compared with the authority once check 19 passes.") from exc
    checks.check_same_authority(identifier, psd2)


_TRUST_CODES: Final = {
    6: ("trust_list_unavailable",),
    7: ("cert_issuer_not_listed", "cert_path_invalid"),
    8: ("cert_not_qualified_at_now", "cert_not_qualified_at_issue"),
    9: ("service_not_for_web", "service_not_for_eseal"),
}
_ASKED_FIRST: Final = {9: 8}
"""Lists are asked for the status and the use of each moment in turn: a wrong use comes early."""


def _check_trust(number: int) -> Callable[[Subject], None]:
    """Return one of the checks 6 to 9, of which the first fault leaves the later ones undecided."""

    def run(subject: Subject) -> None:
        fault = subject.trust_fault
        if subject.trust is None and fault is None:
            raise UndecidedError(NO_TRUST)
        if fault is not None:
            at_fault = next((n for n, codes in _TRUST_CODES.items() if fault.code in codes), 7)
            if at_fault == number:
                raise fault
            if _ASKED_FIRST.get(at_fault, at_fault + 1) <= number:
                raise UndecidedError(f"Asked once check {at_fault} passes.")
        if number != 7 and subject.trust is not None and subject.trust.listing is None:
            raise UndecidedError(NO_LISTS)

    return run


_FORM: Final = (
    Check(1, "One certificate in strict DER", ("cert_malformed",)),
    Check(
        *(2, "Final, not a precertificate", ("cert_is_precertificate",)),
        lambda s: checks.check_final(s.certificate),
    ),
    Check(
        *(3, "Of an end entity, not of a CA", ("cert_is_ca",)),
        lambda s: checks.check_end_entity(s.certificate),
    ),
    Check(
        *(4, "Strong key, strong signature", ("cert_weak_key",)),
        lambda s: checks.check_strength(s.certificate, s.rules),
    ),
    Check(
        *(5, "Valid now", ("cert_expired", "cert_not_yet_valid")),
        lambda s: checks.check_validity(s.certificate, s.rules, at=s.at),
    ),
)
_TRUST: Final = (
    Check(6, "Trusted lists at hand and current", _TRUST_CODES[6], _check_trust(6)),
    Check(7, "Path to a CA that is listed", _TRUST_CODES[7], _check_trust(7)),
    Check(8, "Qualified by the list, now and when issued", _TRUST_CODES[8], _check_trust(8)),
    Check(9, "Listed for this use", _TRUST_CODES[9], _check_trust(9)),
)
_QUALIFIED: Final = (
    Check(
        *(10, "qcStatements, once and readable"),
        ("qcstatements_missing", "qcstatements_malformed"),
        lambda s: checks.check_qcstatements(s.certificate),
    ),
    Check(
        *(11, "Says that it is qualified (QcCompliance)", ("cert_not_qualified",)),
        lambda s: checks.check_compliance(s.qc),
    ),
    Check(
        *(12, "Qualified under EU law", ("cert_not_eu_qualified",)),
        lambda s: checks.check_legislation(s.qc),
    ),
    Check(
        *(13, "One QcType, that of the use", ("cert_wrong_qctype",)),
        lambda s: checks.check_qc_type(s.qc, s.use),
    ),
    Check(
        *(14, "Seal device, PDS and policies are noted, not required"),
        clause="EN 319 412-2 §5.2, TS 119 495 §6.1",
    ),
)
_PSD2: Final = (
    Check(
        *(15, "PSD2 statement, once", ("psd2_statement_missing", "psd2_roles_malformed")),
        lambda s: checks.check_psd2_statement(s.qc),
    ),
    Check(
        *(16, "A role at least", ("psd2_no_role",)),
        lambda s: checks.check_role(s.psd2),
    ),
    Check(
        *(17, "Names of roles belong to their OIDs", ("psd2_role_mismatch",)),
        lambda s: checks.check_role_names(s.qc),
    ),
    Check(
        *(18, "Competent authority is named", ("psd2_nca_name_empty",)),
        lambda s: checks.check_nca_name(s.psd2),
    ),
    Check(
        *(19, "Authority is one of the EEA, accepted here"),
        ("psd2_nca_id_malformed", "psd2_nca_not_eea", "psd2_nca_unknown"),
        _check_nca_id,
    ),
    Check(
        *(20, "One organizationIdentifier, of that authority"),
        (
            *("organization_identifier_malformed", "organization_identifier_nca_mismatch"),
            "psp_not_mapped",
        ),
        _check_organization,
    ),
)
_USE: Final = (
    Check(
        *(21, "Key usage of a TLS client (QWAC)", ("cert_wrong_key_usage",)),
        lambda s: checks.check_key_usage(s.certificate, s.use, s.rules),
        use=QWAC,
    ),
    Check(
        *(22, "Key usage of a seal (QSealC)", ("cert_wrong_key_usage",)),
        lambda s: checks.check_key_usage(s.certificate, s.use, s.rules),
        use=QSEALC,
    ),
)
_AFTER: Final = (
    Check(24, "Not revoked", ("cert_revoked", "revocation_unknown"), why=NOT_YET_REVOCATION),
    Check(
        *(25, "PSP is authorised now"),
        ("psp_not_authorised", "psp_not_in_register", "register_unavailable"),
        why=NO_REGISTER,
    ),
    Check(26, "Scope within the roles", ("role_insufficient",), why=NO_SCOPE),
    Check(
        *(27, "Presented by the holder of the key", ("SIG-1", "token_not_bound")),
        clause="RFC 8705 §3, draft-cavage §2.5",
        why=NO_SIGNATURE,
    ),
    Check(
        *(28, "keyId leads to the QSealC"),
        ("key_url_refused", "key_url_unreachable", "KEY-3"),
        use=QSEALC,
        why=NO_KEYID,
    ),
)
CHECKS: Final = (*_FORM, *_TRUST, *_QUALIFIED, *_PSD2, *_USE, *_AFTER)
"""What one certificate is examined by."""

TOGETHER: Final = (
    Check(
        *(23, "QWAC and QSealC of one PSP"),
        ("certificates_disagree", "provider_legal_id_foreign"),
        why=NO_PAIR,
    ),
    Check(
        *(29, "Checked again while registered", ("client_suspended",)),
        clause="RTS 2018/389 art. 34",
        why=NO_CLIENT,
    ),
)
"""What takes a pair, or a registration."""


def check_of(number: int) -> Check:
    """Return the check of a number."""
    return next(check for check in (*CHECKS, *TOGETHER) if check.number == number)


def checks_for(use: CertificateUse) -> Iterable[Check]:
    """Return the checks a certificate is examined by for a use, in order."""
    return (check for check in CHECKS if check.use in (None, use))
