"""What Enrol's description has beyond the contract: dry runs, entity tags, the list of clients."""

from enrol.registration.dialect import Operation
from enrol.server.listing import MOST
from enrol.server.openapi_schema import Schema

DRY_RUN = "DryRunReport"
LIST = "ClientList"

_PREFER: Schema = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "Judges the request and stores nothing (RFC 7240); the answer is then a"
    f" {DRY_RUN}, with Preference-Applied",
    "schema": {"type": "string", "enum": ["handling=validate-only"]},
}
_IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag the change builds on; where the registration is at another, 400"
    " etag_stale (RFC 9110 §13.1.1)",
    "schema": {"type": "string", "pattern": r'^(\*|"[0-9]{1,9}")$'},
}
_LIMIT: Schema = {
    "name": "limit",
    "in": "query",
    "required": False,
    "description": "How many clients are wanted",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": 20},
}
_AFTER: Schema = {
    "name": "after",
    "in": "query",
    "required": False,
    "description": "The client_id after which the page begins",
    "schema": {"type": "string", "pattern": r"^[A-Za-z0-9_~-]{1,128}$"},
}
LIST_PARAMETERS: tuple[Schema, ...] = (_LIMIT, _AFTER)


def has_dry_run(operation: Operation) -> bool:
    """Tell whether an operation can be rehearsed."""
    return operation in (Operation.REGISTER, Operation.UPDATE)


def extra_parameters(operation: Operation) -> tuple[Schema, ...]:
    """Return the header fields an operation understands beyond the contract; none is required."""
    prefer = (_PREFER,) if has_dry_run(operation) else ()
    if_match = (_IF_MATCH,) if operation in (Operation.UPDATE, Operation.DELETE) else ()
    return prefer + if_match
