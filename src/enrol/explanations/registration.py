"""Explanations of what the desk refuses."""

from enrol.explanations.explanation import Explanation

REGISTRATION: dict[str, Explanation] = {
    "agent_without_client": Explanation(
        "An agent can be registered once you have an active client of your own, and you have none.",
        "Register a client without client_legal_id first, with the scopes your agents need.",
        "STET 1.0.5",
    ),
    "agent_scope": Explanation(
        "The scope of an agent goes beyond what your own active clients have.",
        "Name in scope what your own clients have, or update one of those first.",
        "STET 1.0.5",
    ),
    "agents_depend": Explanation(
        "Agents of yours have scopes that no active client of your own would have any more.",
        "Update or delete the agents first, or leave the scope with one of your own clients.",
        "STET 1.0.5",
    ),
    "psp_not_mapped": Explanation(
        "The certificate names the PSP otherwise than PSD…, and this bank does not know the name.",
        "Use a certificate with the form PSDFR-ACPR-12345, or have the bank map your identifier.",
        "TS 119 495 §5.2.1, EN 319 412-1 §5.1.4",
    ),
    "register_unavailable": Explanation(
        "The desk has no current register of payment institutions and can judge no PSP now.",
        "Repeat the same bytes later; tell the bank if it goes on.",
        "PSD2 art. 15",
    ),
    "client_unknown": Explanation(
        "client_id is neither the setup's nor that of a client of your organisation.",
        "Before a registration use the generic client_id the bank publishes (PSD2_TPPRegister).",
        "RFC 6749 §5.2",
    ),
    "certificate_claimed": Explanation(
        "A header field claims a client certificate; only the TLS connection can show one.",
        "Remove fields such as Client-Cert and X-SSL-Client-Cert, in whatever spelling.",
        "RFC 9440 §4",
    ),
    "client_certificate_missing": Explanation(
        "No client certificate came with the TLS connection.",
        "Connect with your QWAC and its key as TLS client certificate.",
        "RTS 2018/389 art. 34; RFC 8705 §2",
    ),
    "cert_rsassa_pss": Explanation(
        "This bank takes no certificate whose issuer signed it with RSASSA-PSS.",
        "Ask your QTSP for a certificate signed with PKCS #1 v1.5 or ECDSA.",
        "the bank's dialect (BPCE, limits of the API)",
    ),
    "client_not_yours": Explanation(
        "There is no such client of your organisation.",
        "Check client_id; a deleted client does not come back.",
        "RFC 7592 §2.1",
    ),
    "operation_off": Explanation(
        "The bank has switched this operation off.",
        "Ask the bank how it wants this done.",
        "STET 1.0.5, response 501",
    ),
    "already_registered": Explanation(
        "Your organisation has registered this software with these certificates before.",
        "Look for its client_id in GET /register, then read or update it there.",
        "RFC 7591 §3.2.2; setting registration.on_duplicate",
    ),
    "etag_stale": Explanation(
        "The registration is not at the version that If-Match names.",
        "Read the registration, make your change to what stands there, send its ETag in If-Match.",
        "RFC 9110 §13.1.1",
    ),
    "list_query": Explanation(
        "The query of the list is limit, 1 to 100, and after, a client_id; each at most once.",
        "Leave the query out for the first page; for the next, use the URI in next.",
        "The list of clients is Enrol's own; /openapi.json describes it",
    ),
    "member_defaulted": Explanation(
        "was not sent; the bank fills it in.",
        "Send the member, if you want another value.",
        "RFC 7591 §2",
    ),
    "member_rewritten": Explanation(
        "is registered in another form than it was sent in.",
        "Nothing needs to be changed; what is registered is in metadata.",
        "RFC 7591 §3.2.1",
    ),
    "member_not_kept": Explanation(
        "is not registered.",
        "Leave the member out; no answer will hold it.",
        "RFC 7591 §2",
    ),
    "rate_exceeded": Explanation(
        "Too many requests.",
        "Wait Retry-After seconds, then send the same bytes again.",
        "RFC 6585 §4",
    ),
    "quota_reached": Explanation(
        "Your organisation has as many clients as it may have here.",
        "Delete a client you no longer use, or ask the bank for more.",
        "RFC 7591 §5",
    ),
    "concurrent_change": Explanation(
        "The client was changed or deleted by another request at the same time.",
        "Read the client, then send your change again with a new X-Request-ID.",
        "RFC 9110 §15.6.4",
    ),
    "storage_unavailable": Explanation(
        "The register cannot be read or written now; nothing can be said about the outcome.",
        "Repeat the same bytes with the same X-Request-ID after Retry-After seconds.",
        "RFC 9110 §15.6.4",
    ),
    "trust_list_unavailable": Explanation(
        "The list of accepted certificate issuers cannot be read now.",
        "Repeat the same bytes after Retry-After seconds.",
        "RFC 9110 §15.6.4; TS 119 612",
    ),
    "key_url_refused": Explanation(
        "The URL in keyId is not one that is fetched here.",
        "Use https, port 443 and a public host, or send the certificate in jwks.keys[].x5c.",
        "STET 1.6.3 §3.5.1.2; CWE-918",
    ),
    "key_url_unreachable": Explanation(
        "No certificate could be fetched from the URL in keyId.",
        "Serve the PEM with status 200, without redirect or encoding, within 5 s and 64 kB.",
        "STET 1.6.3 §3.5.1.2",
    ),
}
