"""Explanations of how clients are known at the token endpoint, and what they register for it."""

from enrol.explanations.explanation import Explanation

_ASSERTION = "RFC 7523 §3"
_NAMES = "RFC 8705 §2.1.2"

CLIENT_AUTHENTICATION: dict[str, Explanation] = {
    "tls_client_auth_names": Explanation(
        "more than one name of the client certificate is given.",
        "Send exactly one of the tls_client_auth_… members, or none to have the subject of the"
        " certificate of the connection.",
        _NAMES,
    ),
    "tls_client_auth_malformed": Explanation(
        "is no name of this kind.",
        "Write a subject as RFC 4514 does, CN=…,O=…,C=FR with the last part of the certificate"
        " first and unknown types as numbers; a host, URI, address or e-mail as it is.",
        f"{_NAMES}; RFC 4514 §3",
    ),
    "tls_client_auth_differs": Explanation(
        "is not a name of the certificate of this connection.",
        "Register over the certificate to be used. A subject runs from the last part of the"
        " certificate to the first; openssl x509 -noout -subject -nameopt RFC2253 writes it so.",
        _NAMES,
    ),
    "jwks_without_certificate": Explanation(
        "does not hold the certificate of this connection.",
        "Add a key whose x5c begins with the client certificate.",
        "RFC 8705 §2.2",
    ),
    "client_secret_chosen": Explanation(
        "is chosen by the server, not by the client.",
        "Leave client_secret out; in an update it may be the one that was issued.",
        "RFC 7592 §2.2",
    ),
    "client_credentials_malformed": Explanation(
        "The Basic credentials in Authorization cannot be read.",
        "Send Basic and the base64 of client_id, a colon and client_secret, each encoded as a"
        " form is.",
        "RFC 6749 §2.3.1; RFC 7617 §2",
    ),
    "client_credentials_two": Explanation(
        "The request says in two ways who the client is, or names two clients.",
        "Use one method, and the same client_id in all places or in one.",
        "RFC 6749 §2.3",
    ),
    "client_secret_missing": Explanation(
        "This client authenticates by its secret, and sent none.",
        "Send client_id and client_secret as Basic credentials in Authorization.",
        "RFC 6749 §2.3.1",
    ),
    "client_secret_wrong": Explanation(
        "The client_secret is not that of the client.",
        "Read the registration: the answer holds the secret.",
        "RFC 6749 §2.3.1",
    ),
    "client_secret_expired": Explanation(
        "The client_secret has expired.",
        "Read or update the registration: the answer holds the next secret, and its end.",
        "RFC 7591 §3.2.1",
    ),
    "client_certificate_differs": Explanation(
        "The certificate of the connection has not the name this client registered.",
        "Connect with that certificate, or update the registration over the new one.",
        _NAMES,
    ),
    "client_certificate_unknown": Explanation(
        "The certificate of the connection is none of those this client registered.",
        "Update the registration with a jwks that holds the certificate in x5c.",
        "RFC 8705 §2.2",
    ),
    "client_method_unknown": Explanation(
        "The method this client registered is not offered any more.",
        "Update the registration with a method of token_endpoint_auth_methods_supported.",
        "RFC 8414 §2",
    ),
    "assertion_missing": Explanation(
        "This client authenticates by an assertion, and sent none.",
        "Send client_assertion, signed with a registered key, and client_assertion_type.",
        "RFC 7523 §2.2",
    ),
    "assertion_type": Explanation(
        "The client_assertion_type is missing, or is another than that of a JWT.",
        "Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
        "RFC 7523 §2.2",
    ),
    "assertion_malformed": Explanation(
        "The client_assertion is not a signed JWT in compact form.",
        "Send three parts in base64url without padding, separated by dots, with claims in JSON.",
        "RFC 7515 §7.1; RFC 7519 §7.2",
    ),
    "assertion_header": Explanation(
        "The header of the client_assertion has crit, or a typ of something else.",
        'Leave crit out; typ is "JWT" or absent.',
        "RFC 7515 §4.1.9, §4.1.11",
    ),
    "assertion_algorithm": Explanation(
        "The client_assertion is signed by an algorithm that is not accepted.",
        "Use one of token_endpoint_auth_signing_alg_values_supported.",
        "RFC 8725 §3.1",
    ),
    "assertion_key": Explanation(
        "No registered key of this client fits the client_assertion, or several do.",
        "Send the kid of the key in the registered jwks; keys in the header are not looked at.",
        "RFC 7515 §4.1.4; RFC 8725 §3.10",
    ),
    "assertion_signature": Explanation(
        "The signature of the client_assertion does not hold.",
        "Sign with the private key of the registered certificate.",
        _ASSERTION,
    ),
    "assertion_subject": Explanation(
        "The iss and sub of the client_assertion are not both the client_id.",
        "Set iss and sub to the client_id, each as one text.",
        _ASSERTION,
    ),
    "assertion_audience": Explanation(
        "The aud of the client_assertion does not name this server.",
        "Set aud to the issuer of the server's metadata, or to its token endpoint.",
        _ASSERTION,
    ),
    "assertion_time": Explanation(
        "The client_assertion has no exp, is over, not begun, or holds longer than ten minutes.",
        "Set exp to a few minutes from now, and iat to now; check the clock.",
        _ASSERTION,
    ),
    "assertion_id": Explanation(
        "The client_assertion has no jti of 1 to 255 characters.",
        "Set jti to a new random text each time.",
        _ASSERTION,
    ),
    "assertion_used": Explanation(
        "The client_assertion was used before.",
        "Sign a new one, with another jti, for each request.",
        _ASSERTION,
    ),
}
