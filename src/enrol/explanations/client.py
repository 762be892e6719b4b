"""Explanations of what `enrol.client` meets on the way to a bank."""

from enrol.explanations.explanation import Explanation

CLIENT: dict[str, Explanation] = {
    "bank_name_unknown": Explanation(
        "The host name of the bank cannot be resolved.",
        "Check [bank] url in the profile, and the name service of this machine.",
        "RFC 9110 §4.3",
    ),
    "bank_connection_refused": Explanation(
        "Nothing accepts connections at the bank's address.",
        "Check host and port in [bank] url, and that the bank's server is up.",
        "RFC 9293 §3.10.7",
    ),
    "bank_connection_lost": Explanation(
        "The connection to the bank broke before an answer came.",
        "Repeat the call with the same X-Request-ID. If it breaks every time, the bank's TLS end "
        "may refuse the QWAC without saying so: ask the bank with which CA it must be issued.",
        "RFC 9110 §9.2.2",
    ),
    "bank_timeout": Explanation(
        "The bank did not answer in time.",
        "Repeat the call later with the same X-Request-ID.",
        "RFC 9110 §9.2.2",
    ),
    "proxy_failed": Explanation(
        "The proxy set in the environment does not connect to the bank.",
        "Check HTTPS_PROXY, or add the bank's host to NO_PROXY.",
        "RFC 9110 §9.3.6",
    ),
    "dry_run_ignored": Explanation(
        "The bank does not know dry runs: it did what was asked, for real.",
        "Look at the registration with enrol tpp show, and delete or update it if it is unwanted.",
        "RFC 7240 §2",
    ),
    "bank_answer_unreadable": Explanation(
        "The bank says yes in a form that is not the contract's.",
        "Look at the answer with --verbose, check prefix and token_endpoint in the profile, and "
        "repeat the call with the same X-Request-ID.",
        "STET 1.0.5, RegistrationRecord",
    ),
    "bank_signature_missing": Explanation(
        "The bank's answer is not signed, and the profile demands that it is.",
        "Ask the bank whether it signs its answers; if not, set seal_required = false in [bank].",
        "draft-cavage-http-signatures-12 §2.1",
    ),
    "bank_signature_invalid": Explanation(
        "The signature of the bank's answer is not one of its seal over this answer.",
        "Check that [bank] seal holds the certificate the bank signs with now, and the clock of "
        "this machine. If both are right, something on the way changes answers: tell the bank.",
        "draft-cavage-http-signatures-12 §2.5",
    ),
    "bank_signature_elsewhere": Explanation(
        "The bank's answer is signed for another request than the one that was sent.",
        "Repeat the call with the same X-Request-ID. If it happens again, something on the way "
        "mixes up answers: tell the bank.",
        "STET 1.0.5, X-Request-ID",
    ),
    "bank_seal_expired": Explanation(
        "The bank's answer is signed, and no certificate in [bank] seal is valid now.",
        "Get the bank's current seal certificate and set [bank] seal to it.",
        "RFC 5280 §4.1.2.5",
    ),
    "bank_certificate_untrusted": Explanation(
        "The certificate of the bank's TLS end is not issued by a CA you trust.",
        "Set [bank] ca in the profile to the PEM file of the CA that issued it.",
        "RFC 5280 §6",
    ),
    "bank_certificate_expired": Explanation(
        "The certificate of the bank's TLS end is expired or not valid yet.",
        "Check the clock of this machine; if it is right, tell the bank.",
        "RFC 5280 §4.1.2.5",
    ),
    "bank_certificate_other_name": Explanation(
        "The certificate of the bank's TLS end names another host.",
        "Write [bank] url with the host name the bank gave you.",
        "RFC 9110 §4.3.4",
    ),
    "tls_client_certificate_missing": Explanation(
        "The bank's TLS end demands a client certificate and got none it could use.",
        "Check [tpp] qwac in the profile: it must be a QWAC from a CA the bank accepts.",
        "RFC 8446 §6.2, certificate_required",
    ),
    "tls_client_certificate_untrusted": Explanation(
        "The bank's TLS end does not know the CA that issued the QWAC.",
        "Use a QWAC of a qualified trust service provider the bank accepts; put the intermediate "
        "certificates into the qwac file, after the QWAC.",
        "RFC 8446 §6.2, unknown_ca",
    ),
    "tls_client_certificate_expired": Explanation(
        "The bank's TLS end refuses the QWAC: it is expired or not valid yet.",
        "Get a new QWAC and set [tpp] qwac and qwac_key to it.",
        "RFC 8446 §6.2, certificate_expired",
    ),
    "tls_client_certificate_revoked": Explanation(
        "The bank's TLS end refuses the QWAC: it is revoked.",
        "Get a new QWAC and set [tpp] qwac and qwac_key to it.",
        "RFC 8446 §6.2, certificate_revoked",
    ),
    "tls_client_certificate_refused": Explanation(
        "The bank's TLS end refuses the QWAC.",
        "Check that [tpp] qwac is a certificate for TLS client authentication, not the QSealC, "
        "and that it is a web certificate with the PSD2 statement.",
        "RFC 8446 §6.2, bad_certificate",
    ),
    "tls_no_common_parameters": Explanation(
        "The bank's TLS end and this client agree on no TLS version, cipher or certificate.",
        "TLS 1.2 or later is needed; if both have it, the bank may demand another kind of QWAC.",
        "RFC 8446 §6.2, handshake_failure",
    ),
    "tls_failed": Explanation(
        "The TLS connection to the bank failed.",
        "Check that [bank] url names the bank's TLS port; look at the log of the bank's TLS end.",
        "RFC 8446 §6.2",
    ),
}
