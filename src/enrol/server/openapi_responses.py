"""The answers in the description of the API: what succeeds, and every refusal."""

from collections.abc import Mapping

from enrol.server.openapi_extras import DRY_RUN
from enrol.server.openapi_schema import COMPONENTS, Schema

Successes = Mapping[int, tuple[str, tuple[str, ...]]]
"""What an answer is, and the schemas of its body, by status."""

_REFUSALS: Mapping[int, str] = {
    400: "The request cannot be read, or its metadata break a rule",
    401: "Not believed: certificate, token or signature",
    403: "Believed, and not entitled",
    405: "The entry point has no such method",
    406: "The client accepts no JSON",
    408: "The request did not arrive in time",
    429: "Too many requests",
    500: "An unexpected error",
    501: "The entry point is switched off here",
    503: "Cannot be decided or stored now",
}
_ERROR_FIELDS: Mapping[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "Which credentials are needed"),
    405: ("Allow", "The methods of the entry point"),
    429: ("Retry-After", "Seconds to wait"),
    503: ("Retry-After", "Seconds to wait"),
}


def responses(successes: Successes, *, tagged: bool = False) -> Schema:
    """Return the answers of an operation; those that hold a registration are `tagged`."""
    described: Schema = {}
    for status, (text, schemas) in successes.items():
        described[str(status)] = {"description": text, "headers": _fields(status)}
        if tagged and schemas and schemas != (DRY_RUN,):
            described[str(status)]["headers"]["ETag"] = _field("The version, for If-Match")
        if schemas:
            described[str(status)]["content"] = json_content(*schemas)
    for status, text in _REFUSALS.items():
        schema = "Problem400Body" if status == 400 else "ProblemBody"
        described[str(status)] = {
            "description": text,
            "headers": _fields(status),
            "content": json_content(schema),
        }
    return described


def _fields(status: int) -> Schema:
    fields = {"X-Request-ID": "That of the request, or the server's own where it had none"}
    if status < 500:
        fields["Warning"] = "299 and a text, for an entry point that will go away"
    if status == 201:
        fields["Location"] = "The URI of the registration"
    if status in _ERROR_FIELDS:
        name, text = _ERROR_FIELDS[status]
        fields[name] = text
    return {
        name: _field(text, "integer" if name == "Retry-After" else "string")
        for name, text in fields.items()
    }


def _field(text: str, kind: str = "string") -> Schema:
    return {"description": text, "schema": {"type": kind}}


def json_content(*schemas: str) -> Schema:
    """Return the content of a JSON body that fits one of some schemas."""
    references = [{"$ref": COMPONENTS + schema} for schema in schemas]
    return {
        "application/json": {
            "schema": references[0] if len(references) == 1 else {"anyOf": references}
        }
    }
