"""Explanations of what is wrong with a token, or with asking for one."""

from enrol.explanations.explanation import Explanation

TOKENS: dict[str, Explanation] = {
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
}
