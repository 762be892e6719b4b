"""Introspection and revocation in the description of the API."""

from enrol.server.app import Paths
from enrol.server.openapi_responses import Successes, responses
from enrol.server.openapi_schema import Schema

_BEARER, _CERTIFICATE = "gatewaySecret", "gatewayCertificate"
_SCHEMES: dict[str, tuple[str, Schema]] = {
    "Bearer": (
        _BEARER,
        {"type": "http", "scheme": "bearer", "description": "A secret of the bank's gateways"},
    ),
    "self_signed_tls_client_auth": (
        _CERTIFICATE,
        {"type": "mutualTLS", "description": "The certificate of a gateway of the bank"},
    ),
}
_HINT = {"type": "string", "description": "Not needed"}


def describe_issued_tokens(paths: Paths, gateway_methods: tuple[str, ...]) -> Schema:
    """Return the paths of what is done with issued tokens."""
    described: Schema = {paths.revocation: {"post": _revocation()}}
    if gateway_methods:
        described[paths.introspection] = {"post": _introspection(gateway_methods)}
    return described


def gateway_security(gateway_methods: tuple[str, ...]) -> Schema:
    """Return the security schemes of gateways."""
    return dict([_SCHEMES[method] for method in gateway_methods])


def _introspection(gateway_methods: tuple[str, ...]) -> Schema:
    needed: Schema = {_SCHEMES[method][0]: [] for method in gateway_methods}
    return _operation(
        "tokenIntrospect",
        "Ask whether a token is active (RFC 7662); for the gateways of the bank",
        security=needed,
        successes={200: ("What is said of the token", ("Introspection",))},
    )


def _revocation() -> Schema:
    return _operation(
        "tokenRevoke",
        "End a token that is bound to the certificate of the connection (RFC 7009)",
        security={"qwac": []},
        successes={200: ("The token is not active, if there was one", ())},
    )


def _operation(name: str, summary: str, *, security: Schema, successes: Successes) -> Schema:
    form = {
        "type": "object",
        "required": ["token"],
        "properties": {"token": {"type": "string"}, "token_type_hint": _HINT},
    }
    return {
        "operationId": name,
        "summary": summary,
        "security": [security],
        "parameters": [
            {
                "name": "X-Request-ID",
                "in": "header",
                "required": False,
                "description": "Echoed",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": form}},
        },
        "responses": responses(successes),
    }
