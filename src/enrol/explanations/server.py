"""Explanations of what the HTTP layer refuses."""

from enrol.explanations.explanation import Explanation

SERVER: dict[str, Explanation] = {
    "entry_point_unknown": Explanation(
        "There is no such entry point.",
        "Use the paths of the STET contract; /openapi.json lists them.",
        "STET 1.0.5, response 501",
    ),
    "method_not_allowed": Explanation(
        "This entry point does not offer that method.",
        "Use one of the methods in the Allow header field.",
        "RFC 9110 §15.5.6",
    ),
    "not_acceptable": Explanation(
        "The Accept header field excludes application/json, the only form answers have.",
        "Send Accept: application/json, or no Accept at all.",
        "RFC 9110 §15.5.7",
    ),
    "request_timeout": Explanation(
        "The request did not arrive in time.",
        "Send header fields and body without pauses; the deadlines are settings of the server.",
        "RFC 9110 §15.5.9",
    ),
    "http_malformed": Explanation(
        "The bytes received are not one well-formed HTTP/1.1 request.",
        "Check line ends (CRLF), header names, Content-Length and Transfer-Encoding.",
        "RFC 9112 §2, §5, §6",
    ),
    "headers_too_large": Explanation(
        "The request line or the header fields exceed the limit.",
        "Send fewer or shorter header fields: a line of 4 kB, 64 fields, 16 kB in all.",
        "RFC 6585 §5",
    ),
    "client_cert_malformed": Explanation(
        "The proxy of the bank handed your certificate on in a form that cannot be read.",
        "Tell the bank: one Client-Cert, DER in base64 between colons.",
        "RFC 9440 §2.1",
    ),
    "client_address_malformed": Explanation(
        "The proxy of the bank does not state one address of the client.",
        "Tell the bank: one X-Real-IP with an IP address, set by its proxy.",
        "docs/how-to/behind-a-proxy.md",
    ),
    "hop_not_authenticated": Explanation(
        "The request did not come through the proxy of the bank.",
        "Connect to the address the bank publishes; the bank checks the secret of its proxy.",
        "RFC 9440 §4",
    ),
    "body_too_large": Explanation(
        "The body exceeds the limit.",
        "Send at most 256 kB; link a logo by logo_uri instead of embedding it.",
        "RFC 9110 §15.5.14",
    ),
    "target_not_origin_form": Explanation(
        "The request target must be a path, not a URL, '*' or a host.",
        "Send the target in origin-form: POST /path HTTP/1.1 and the host in Host.",
        "RFC 9112 §3.2.1",
    ),
    "request_id_missing": Explanation(
        "X-Request-ID must be present exactly once.",
        "Send one X-Request-ID, a fresh UUID for each new request.",
        "STET 1.0.5, parameter X-Request-ID",
    ),
    "request_id_malformed": Explanation(
        "X-Request-ID must be 1 to 70 visible ASCII characters.",
        "Send a UUID, or any 1 to 70 characters from ! to ~.",
        "STET 1.0.5, parameter X-Request-ID",
    ),
    "content_type_not_json": Explanation(
        "Content-Type must be application/json.",
        "Send Content-Type: application/json.",
        "STET 1.0.5, consumes",
    ),
    "content_type_not_form": Explanation(
        "Content-Type must be application/x-www-form-urlencoded.",
        "Send the token request as a form.",
        "RFC 6749 §4.4.2",
    ),
    "content_encoding_unsupported": Explanation(
        "Content-Encoding is not accepted; send the body as it is.",
        "Remove Content-Encoding and send the plain bytes that Digest covers.",
        "RFC 9110 §15.5.16",
    ),
    "body_unexpected": Explanation(
        "This method takes no body.",
        "Send no body and no Transfer-Encoding with GET and DELETE.",
        "RFC 9110 §9.3.1",
    ),
    "server_error": Explanation(
        "An unexpected error happened on the server's side.",
        "Repeat the same bytes later; tell the bank the X-Request-ID if it goes on.",
        "RFC 9110 §15.6.1",
    ),
    "draining": Explanation(
        "This server is shutting down; another one will answer.",
        "Open a new connection and repeat the same bytes.",
        "RFC 9110 §15.6.4",
    ),
    "limits_unavailable": Explanation(
        "The server cannot tell now how often you asked, and lets nobody in meanwhile.",
        "Repeat the same bytes after Retry-After seconds.",
        "RFC 9110 §15.6.4",
    ),
    "overloaded": Explanation(
        "Too many requests are in progress.",
        "Repeat the same bytes after Retry-After seconds.",
        "RFC 9110 §15.6.4",
    ),
    "upgrade_not_offered": Explanation(
        "This server does not switch protocols.",
        "Send no Upgrade header field; the server speaks HTTP/1.1 over TLS only.",
        "RFC 9110 §7.8",
    ),
}
