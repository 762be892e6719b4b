"""Explanations of what is wrong with a body and the metadata in it."""

from enrol.explanations.explanation import Explanation

METADATA: dict[str, Explanation] = {
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
}
