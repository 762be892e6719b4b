"""Explanations of what OAuth and the desk refuse."""

from enrol.explanations.explanation import Explanation

REGISTRATION: dict[str, Explanation] = {
    "json_malformed": Explanation(
        "The body is not a JSON text.",
        "Send one JSON object; check commas, quotes and escapes.",
        "RFC 8259 §2",
    ),
    "json_not_object": Explanation(
        "The body must be one JSON object.",
        "Put the metadata into {...}, not into a list or a string.",
        "RFC 7591 §3.1",
    ),
    "json_not_utf8": Explanation(
        "The body must be UTF-8 without a byte order mark or lone surrogates.",
        "Encode the body as UTF-8.",
        "RFC 8259 §8.1",
    ),
    "json_duplicate_member": Explanation(
        "A member stands twice in one JSON object.",
        "Send each member once.",
        "RFC 8259 §4",
    ),
    "json_too_many_members": Explanation(
        "A JSON object has more than 100 members.",
        "Send only the members of the contract.",
        "STET 1.0.5",
    ),
    "json_too_deep": Explanation(
        "The JSON is nested deeper than 16 levels.",
        "Send only the members of the contract.",
        "RFC 8259 §9",
    ),
    "json_number": Explanation(
        "A number is not finite, or too long.",
        "Send numbers as RFC 8259 writes them, of at most 32 characters.",
        "RFC 8259 §6",
    ),
    "member_wrong_type": Explanation(
        "has the wrong JSON type.",
        "Send the type the contract names: /openapi.json lists it for each member.",
        "STET 1.0.5",
    ),
    "member_missing": Explanation(
        "is required and absent.",
        "Add the member. On an update every member must be sent again, since PUT replaces all.",
        "STET 1.0.5; RFC 7592 §2.2",
    ),
    "member_refused": Explanation(
        "must not be sent here.",
        "Leave the member out; keys go by value into jwks, issued members are the server's.",
        "STET 1.0.5; RFC 7592 §2.2",
    ),
    "auth_method_refused": Explanation(
        "is not a method that is accepted here.",
        'Send "tls_client_auth", or another of token_endpoint_auth_methods_supported.',
        "STET 1.0.5; RFC 8705 §2.1; RFC 8414 §2",
    ),
    "value_refused": Explanation(
        "holds a value that is not accepted here, none, or one twice.",
        "grant_types: authorization_code, refresh_token, client_credentials; response_types: code;"
        " for other members see /openapi.json.",
        "STET 1.0.5; RFC 9700 §2.1.2, §2.4",
    ),
    "scope_unknown": Explanation(
        "holds a scope that cannot be registered.",
        "Ask for aisp, pisp, cbpii, separated by a blank or a comma.",
        "STET 1.0.5; RFC 6749 §3.3",
    ),
    "role_insufficient": Explanation(
        "A scope asked for needs a PSP role that a certificate, or the register, does not give.",
        "Ask only for scopes of your roles: aisp PSP_AI, pisp PSP_PI, cbpii PSP_IC.",
        "RTS 2018/389 art. 34(3)",
    ),
    "text_not_plain": Explanation(
        "must be 1 to 140 readable characters without control or invisible ones.",
        "Remove controls, line breaks, bidirectional and zero-width characters.",
        "RFC 7591 §5",
    ),
    "character_refused": Explanation(
        "holds a character that this bank does not take.",
        "Leave apostrophes out, or what else the bank says.",
        "the bank's dialect",
    ),
    "uri_refused": Explanation(
        "must be an https URI with a public host name.",
        "Send https://host/path, without user, fragment or blanks.",
        "RFC 7591 §5",
    ),
    "contact_malformed": Explanation(
        "must hold e-mail addresses (or https pages) people can be reached at.",
        "Send 1 to 10 e-mail addresses; phone numbers as +33 1 23 45 67 89.",
        "RFC 7591 §2",
    ),
    "logo_malformed": Explanation(
        "must be base64 of at most 32 kB.",
        "Send a smaller image, or its address in logo_uri.",
        "STET 1.0.5",
    ),
    "provider_legal_id_foreign": Explanation(
        "is not the organizationIdentifier of your certificates.",
        "Send the organizationIdentifier of the QWAC, character for character.",
        "TS 119 495 §5.2.1; STET 1.0.5",
    ),
    "client_legal_id_malformed": Explanation(
        "must have the form AGTxx-NCA-identifier.",
        "Send AGT, the country, '-', the authority, '-' and the agent's number, or leave it out.",
        "STET 1.0.5",
    ),
    "client_legal_id_differs": Explanation(
        "an agent does not become another, nor an agent's client the TPP's own.",
        "Send the client_legal_id it was registered with, or register another client.",
        "RFC 7592 §2.2; STET 1.0.5",
    ),
    "client_legal_id_authority": Explanation(
        "names another country or authority than your organizationIdentifier.",
        "Send the number your own authority's register has for the agent: AGT, xx-NCA as in yours.",
        "PSD2 art. 14(1), 19(3); STET 1.0.5",
    ),
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
    "statement_malformed": Explanation(
        "is not a JWS in compact form whose payload is a JSON object.",
        "Send the statement as its issuer gave it: three parts of base64url without padding.",
        "RFC 7515 §7.1; RFC 7591 §2.3",
    ),
    "statement_header": Explanation(
        "has a typ that is not JWT, or crit, of which nothing is understood here.",
        "Send the software statement, not another kind of token.",
        "RFC 7515 §4.1.9, §4.1.11; RFC 8725 §3.11",
    ),
    "statement_algorithm": Explanation(
        "is signed with an algorithm that is not taken here.",
        "Ask its issuer for one signed with PS256, ES256 or RS256, or what the bank says.",
        "RFC 8725 §3.1",
    ),
    "statement_key": Explanation(
        "is signed with a key that its issuer does not publish, or not under that kid.",
        "Ask its issuer for a new statement.",
        "RFC 7515 §4.1.4",
    ),
    "statement_signature": Explanation(
        "does not verify with the key of its issuer.",
        "Send the statement unchanged, or ask its issuer for a new one.",
        "RFC 7515 §5.2",
    ),
    "statement_issuer": Explanation(
        "is of an issuer that this bank does not take statements of.",
        "Ask the bank whose statements it takes.",
        "RFC 7591 §3.2.2",
    ),
    "statement_claims": Explanation(
        "lacks iss, aud, exp, iat, jti, or the organisation it is about.",
        "Ask its issuer for a statement with each of them.",
        "RFC 7591 §2.3; RFC 7519 §4.1",
    ),
    "statement_audience": Explanation(
        "is meant for another server.",
        "Ask its issuer for one whose aud is the issuer of this server's metadata.",
        "RFC 7519 §4.1.3",
    ),
    "statement_expired": Explanation(
        "has expired.",
        "Ask its issuer for a new statement.",
        "RFC 7519 §4.1.4",
    ),
    "statement_early": Explanation(
        "does not hold yet: iat or nbf is in the future.",
        "Send it later, and look after the clock of its issuer.",
        "RFC 7519 §4.1.5, §4.1.6",
    ),
    "statement_old": Explanation(
        "is older than this bank takes, or made to hold for longer.",
        "Ask its issuer for a new statement with a shorter life.",
        "RFC 8725 §3.8",
    ),
    "statement_foreign": Explanation(
        "is about another organisation than that of your certificates.",
        "Send a statement about software of your own.",
        "RFC 7591 §5",
    ),
    "statement_reused": Explanation(
        "has a jti that was used before: for another client, organisation or statement.",
        "Ask its issuer for a statement of its own for each client.",
        "RFC 7519 §4.1.7",
    ),
    "redirect_uri_not_stated": Explanation(
        "a URI is not among those of the software statement.",
        "Leave redirect_uris out, or send none that the statement does not hold.",
        "RFC 7591 §2.3, §5",
    ),
    "statement_keys_unavailable": Explanation(
        "The keys of the issuer of the software statement cannot be had now.",
        "Try again later.",
        "RFC 7591 §2.3",
    ),
    "member_stated": Explanation(
        "is as the software statement says it.",
        "Nothing: what a statement says comes before what stands beside it.",
        "RFC 7591 §2.3",
    ),
    "client_id_chosen": Explanation(
        "is chosen by the server, not by the client.",
        "Leave client_id out of a first registration.",
        "RFC 7591 §3.1",
    ),
    "client_id_differs": Explanation(
        "must be the client_id of the path.",
        "Send the issued client_id in the body of an update.",
        "RFC 7592 §2.2",
    ),
    "redirect_uris_count": Explanation(
        "must hold 1 to 20 URIs.",
        "Register at least one redirection URI, and at most 20.",
        "RFC 7591 §2",
    ),
    "redirect_uris_many": Explanation(
        "holds more URIs than this bank takes for one client.",
        "Register a client for each redirection URI.",
        "RFC 7591 §2; the bank's dialect",
    ),
    "redirect_uri_ending": Explanation(
        "a URI does not end as this bank wants it.",
        "End each redirection URI with a slash, or as the bank says.",
        "the bank's dialect",
    ),
    "redirect_uri_twice": Explanation(
        "holds the same URI twice.",
        "Send each redirection URI once.",
        "RFC 7591 §2",
    ),
    "redirect_uri_length": Explanation(
        "a URI is longer than 2000 characters.",
        "Register a shorter URI.",
        "RFC 7591 §2",
    ),
    "redirect_uri_scheme": Explanation(
        "a URI does not begin with https://.",
        "Register https URIs only.",
        "RFC 9700 §2.6",
    ),
    "redirect_uri_fragment": Explanation(
        "a URI has a fragment.",
        "Remove '#' and what follows it.",
        "RFC 6749 §3.1.2",
    ),
    "redirect_uri_syntax": Explanation(
        "a URI is not of the form https://host[:port]/path[?query] in plain ASCII.",
        "Use a lower-case DNS name with a dot; no user, wildcard, blank or non-ASCII character.",
        "RFC 3986 §3",
    ),
    "redirect_uri_host": Explanation(
        "a URI's host is an address, an internationalised or an overlong name.",
        "Use a DNS name of ASCII letters.",
        "RFC 9700 §2.1",
    ),
    "redirect_uri_port": Explanation(
        "a URI's port is not 443 or in 1024 to 65535.",
        "Leave the port out.",
        "RFC 9700 §2.1",
    ),
    "redirect_uri_path": Explanation(
        "a URI's path has dot segments, empty segments or wildcards.",
        "Register the path as your server will see it.",
        "RFC 3986 §6.2.2.3",
    ),
    "redirect_uri_query": Explanation(
        "a URI's query has a parameter of the authorization response, or a nested URI.",
        "Remove code, state, iss, error, redirect_uri and nested URIs from the query.",
        "RFC 6749 §4.1.2",
    ),
    "jwks_size": Explanation(
        "must hold 1 to 5 keys.",
        "Send the key that signs, and the next one while you rotate.",
        "RFC 7517 §5",
    ),
    "jwk_kid_twice": Explanation(
        "two keys carry the same kid.",
        "Give each key a kid of its own.",
        "RFC 7517 §4.5",
    ),
    "jwk_private": Explanation(
        "a key carries private or symmetric material; treat it as disclosed.",
        "Send public keys only, and replace this one.",
        "RFC 7517 §9.2",
    ),
    "jwk_kty": Explanation(
        "kty must be RSA, EC or OKP.",
        "Send the key type of the certificate's key.",
        "RFC 7518 §6.1",
    ),
    "jwk_alg": Explanation(
        "alg does not fit kty, or is not a signature algorithm.",
        "Send RS256, PS512 or the like with RSA, ES256 or the like with EC, or no alg.",
        "RFC 7518 §3.1",
    ),
    "jwk_use": Explanation(
        "use must be sig and key_ops verify, where they are present.",
        "Send use sig and key_ops [verify], or leave them out.",
        "RFC 7517 §4.2, §4.3",
    ),
    "jwk_kid": Explanation(
        "kid must be 1 to 1024 visible ASCII characters.",
        "Use the certificate's serial number or a UUID as kid.",
        "RFC 7517 §4.5",
    ),
    "jwk_x5c_missing": Explanation(
        "a key has no x5c.",
        "Send the QSealC as x5c: base64 of its DER, the signing certificate first.",
        "STET 1.0.5; RFC 7517 §4.7",
    ),
    "jwk_x5c": Explanation(
        "x5c must hold 1 to 5 certificates as base64 (not base64url) of DER, 8 kB each.",
        "Take the lines between BEGIN and END of the PEM file, joined.",
        "RFC 7517 §4.7",
    ),
    "jwk_differs": Explanation(
        "kty, n, e, crv, x or y of a key is not that of the certificate in its x5c.",
        "Send them as unpadded base64url of the certificate's key, or leave them out.",
        "RFC 7517 §4.7; RFC 7518 §6",
    ),
    "jwk_thumbprint": Explanation(
        "x5t#S256 or x5t is not that of the first certificate in x5c.",
        "Send unpadded base64url of the SHA-256 of the DER, or leave it out.",
        "RFC 7517 §4.8, §4.9",
    ),
    "authorization_twice": Explanation(
        "Authorization must not stand twice.",
        "Send one Authorization header field.",
        "RFC 9110 §11.6.2",
    ),
    "token_missing": Explanation(
        "A bearer token is needed.",
        "Get one from the token endpoint with scope manageRegistration over the same QWAC.",
        "RFC 6750 §2.1",
    ),
    "token_malformed": Explanation(
        "Authorization must be 'Bearer' and one token.",
        "Send Authorization: Bearer <access_token>.",
        "RFC 6750 §2.1",
    ),
    "token_unknown": Explanation(
        "The access token is not one of ours, or was revoked.",
        "Get a new token from the token endpoint.",
        "RFC 6750 §3.1",
    ),
    "token_superseded": Explanation(
        "The registration access token was replaced, and the newer one was used since.",
        "Bring the newest; a token of the token endpoint with scope manageRegistration reads the"
        " registration, and with it the newest.",
        "RFC 7592 §3",
    ),
    "token_expired": Explanation(
        "The access token has expired.",
        "Get a new token from the token endpoint; it lives for expires_in seconds.",
        "RFC 6750 §3.1",
    ),
    "token_not_bound": Explanation(
        "The access token was issued to another certificate.",
        "Get a token over a connection with the QWAC you use now.",
        "RFC 8705 §3",
    ),
    "token_scope": Explanation(
        "The access token does not carry the scope manageRegistration.",
        "Ask the token endpoint for scope=manageRegistration.",
        "RFC 6750 §3.1",
    ),
    "token_request_malformed": Explanation(
        "The token request is not a form, or has a field twice.",
        "Send grant_type, scope and client_id as application/x-www-form-urlencoded, each once.",
        "RFC 6749 §3.2",
    ),
    "token_request_incomplete": Explanation(
        "grant_type and client_id are required.",
        "Send grant_type=client_credentials&scope=manageRegistration&client_id=...",
        "RFC 6749 §4.4.2",
    ),
    "grant_type_unsupported": Explanation(
        "Only grant_type=client_credentials is offered.",
        "Send grant_type=client_credentials.",
        "RFC 6749 §4.4.2",
    ),
    "scope_not_offered": Explanation(
        "Only the scope manageRegistration is offered here.",
        "Send scope=manageRegistration.",
        "RFC 6749 §3.3",
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
