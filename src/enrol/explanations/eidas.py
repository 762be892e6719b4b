"""Explanations of the codes raised by `enrol.eidas`."""

from enrol.explanations.explanation import Explanation

EIDAS: dict[str, Explanation] = {
    "cert_malformed": Explanation(
        "The certificate cannot be read as one X.509 certificate in strict DER.",
        "Send one certificate of at most 16 KiB, as issued; check it with openssl x509.",
        "RFC 5280 §4.1, §4.2",
    ),
    "cert_is_precertificate": Explanation(
        "This is a precertificate of Certificate Transparency, not a certificate.",
        "Ask your QTSP for the final certificate; it lacks the extension 1.3.6.1.4.1.11129.2.4.3.",
        "RFC 6962 §3.1",
    ),
    "cert_is_ca": Explanation(
        "The certificate belongs to a CA; a PSP presents the certificate of an end entity.",
        "Present the certificate issued to the PSP itself, its own certificate first in a chain.",
        "RFC 5280 §4.2.1.9",
    ),
    "cert_weak_key": Explanation(
        "The key or the signature of the certificate is too weak, or of a kind not accepted.",
        "Use RSA of 2048 to 4096 bits with exponent 65537, or P-256 or P-384, signed with SHA-256 "
        "or longer.",
        "TS 119 312 §6, §9",
    ),
    "cert_expired": Explanation(
        "The certificate has expired.",
        "Renew it at your QTSP and present the new one.",
        "RFC 5280 §4.1.2.5",
    ),
    "cert_not_yet_valid": Explanation(
        "The certificate is not valid yet.",
        "Wait for its notBefore, or check the clock of the machine that issued it.",
        "RFC 5280 §4.1.2.5",
    ),
    "trust_list_unavailable": Explanation(
        "The desk has no current trusted list and can judge no certificate now.",
        "Repeat the same bytes later; tell the bank if it goes on.",
        "TS 119 612 §5.3.15",
    ),
    "cert_issuer_not_listed": Explanation(
        "The issuer of the certificate is not a CA this desk trusts.",
        "Use a certificate from a QTSP of the EU trusted lists, not from a test hierarchy.",
        "TS 119 615 §4.4",
    ),
    "cert_not_qualified_at_now": Explanation(
        "By the trusted list, certificates of this issuer are not qualified now.",
        "Ask your QTSP about the status of its service, or order a certificate at another.",
        "TS 119 615 §4.4, TS 119 612 §5.5.4",
    ),
    "cert_not_qualified_at_issue": Explanation(
        "By the trusted list, the certificate was not qualified when it was issued.",
        "Ask your QTSP for a new certificate, issued under the status it has now.",
        "TS 119 615 §4.4, TS 119 612 §5.5.4",
    ),
    "service_not_for_web": Explanation(
        "By the trusted list, this issuer gives no qualified website certificates (QWAC).",
        "Use a QWAC of a service that is listed with ForWebSiteAuthentication.",
        "TS 119 612 §5.5.9.2, §5.5.9.4",
    ),
    "service_not_for_eseal": Explanation(
        "By the trusted list, this issuer gives no qualified seal certificates (QSealC).",
        "Use a QSealC of a service that is listed with ForeSeals.",
        "TS 119 612 §5.5.9.2, §5.5.9.4",
    ),
    "cert_path_invalid": Explanation(
        "The path from the certificate to its trusted CA does not verify.",
        "Present the certificate as issued, with the intermediate CAs its QTSP publishes.",
        "RFC 5280 §6",
    ),
    "qcstatements_missing": Explanation(
        "The certificate has no qcStatements extension: it is not a qualified certificate.",
        "Use a qualified certificate: a QWAC for TLS, a QSealC for signatures.",
        "EN 319 412-5 §4.1",
    ),
    "qcstatements_malformed": Explanation(
        "The qcStatements extension of the certificate is not written as its standard says.",
        "Ask your QTSP to reissue: a SEQUENCE OF QCStatement, known statements once, known roles.",
        "EN 319 412-5 §4.1, TS 119 495 §5.1",
    ),
    "cert_not_qualified": Explanation(
        "The certificate does not say that it is qualified (no QcCompliance statement).",
        "Use a qualified certificate; one of a national test or open-banking directory is not.",
        "EN 319 412-5 §4.2.1",
    ),
    "cert_not_eu_qualified": Explanation(
        "The certificate is qualified under the law of another country (QcCClegislation).",
        "Use a certificate qualified under Regulation (EU) No 910/2014.",
        "EN 319 412-5 §4.2.4",
    ),
    "cert_wrong_qctype": Explanation(
        "The certificate has the wrong QcType: TLS needs web (QWAC), a signature eseal (QSealC).",
        "Present the QWAC in TLS and sign with the key of the QSealC; each has exactly one QcType.",
        "EN 319 412-5 §4.2.3",
    ),
    "psd2_statement_missing": Explanation(
        "The certificate has no PSD2 statement: it names neither roles nor authority.",
        "Order a PSD2 certificate at your QTSP; it needs the statement 0.4.0.19495.2.",
        "TS 119 495 §5.1",
    ),
    "psd2_roles_malformed": Explanation(
        "The PSD2 statement holds several roles inside one RoleOfPSP.",
        "Ask your QTSP to reissue with one SEQUENCE for each role.",
        "TS 119 495 annex A",
    ),
    "psd2_role_mismatch": Explanation(
        "A role of the PSD2 statement has a name that does not belong to its OID.",
        "Ask your QTSP to reissue with the names PSP_AS, PSP_PI, PSP_AI and PSP_IC.",
        "TS 119 495 §5.2.2",
    ),
    "psd2_nca_name_empty": Explanation(
        "The PSD2 statement does not name the competent authority.",
        "Ask your QTSP to reissue with the name of your authority.",
        "TS 119 495 §5.2.3, RTS 2018/389 art. 34(3)(b)",
    ),
    "psd2_nca_id_malformed": Explanation(
        "The identifier of the authority is not two capitals, a hyphen and 2 to 8 capitals.",
        "Ask your QTSP to reissue with an identifier such as FR-ACPR.",
        "TS 119 495 §5.2.3",
    ),
    "psd2_no_role": Explanation(
        "The PSD2 statement gives no role.",
        "Ask your authority and your QTSP for a certificate with the roles you are authorised for.",
        "TS 119 495 §5.2.2, RTS 2018/389 art. 34(3)(a)",
    ),
    "psd2_nca_not_eea": Explanation(
        "The competent authority is not one of the European Economic Area.",
        "Use a certificate that names the authority that authorised you in the EEA.",
        "TS 119 495 §5.2.3, annex D",
    ),
    "psd2_nca_unknown": Explanation(
        "The competent authority is not one this bank accepts.",
        "Tell the bank the identifier of your authority as the certificate spells it.",
        "TS 119 495 annex D",
    ),
    "psp_not_in_register": Explanation(
        "The register of payment institutions has no entry under this authority and number.",
        "Compare your number there with the certificate's; credit institutions ask to be allowed.",
        "PSD2 art. 14, 15; RTS 2018/389 art. 34(2)",
    ),
    "psp_not_authorised": Explanation(
        "By the register of payment institutions, the authorisation was withdrawn.",
        "Ask your authority to correct its register; the desk follows within a day.",
        "PSD2 art. 13, 14, 15",
    ),
    "organization_identifier_malformed": Explanation(
        "The subject must have one organizationIdentifier in the form PSDFR-ACPR-12345.",
        "Ask your QTSP to reissue with attribute 2.5.4.97 once: PSD, country, authority, number.",
        "TS 119 495 §5.2.1",
    ),
    "organization_identifier_nca_mismatch": Explanation(
        "organizationIdentifier and PSD2 statement name different authorities.",
        "Ask your QTSP to reissue with the same authority in both.",
        "TS 119 495 §5.2.1",
    ),
    "cert_wrong_key_usage": Explanation(
        "The key usage of the certificate does not allow this use.",
        "QWAC: digitalSignature and clientAuth. QSealC: nonRepudiation or digitalSignature.",
        "TS 119 495 §5.3, EN 319 412-2 §4.3.2",
    ),
    "certificates_disagree": Explanation(
        "QWAC and QSealC must name the same organisation and have different keys.",
        "Present two certificates of one PSP, each with its own key.",
        "EBA-Op-2018-7",
    ),
    "cert_revoked": Explanation(
        "The certificate has been revoked by its issuer.",
        "Order a new certificate at your QTSP.",
        "RFC 5280 §5, EN 319 411-2 §6.2",
    ),
    "revocation_unknown": Explanation(
        "The desk cannot learn now whether the certificate has been revoked.",
        "Repeat the same bytes later; tell the bank if it goes on.",
        "RFC 5280 §6.3, RFC 6960 §3.2",
    ),
}
