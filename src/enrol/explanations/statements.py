"""Explanations of what is wrong with a software statement."""

from enrol.explanations.explanation import Explanation

STATEMENTS: dict[str, Explanation] = {
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
}
