"""The four operations of the contract, and what every answer of theirs must look like."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from live.party import REGISTER, Draft, Party, Reply

ONE_CLIENT = REGISTER + "/{client_id}"
LONGEST_TEXT = 140


@dataclass(frozen=True)
class Operation:
    """A method on an entry point, and the status of its success."""

    name: str
    method: str
    success: int
    template: str = ONE_CLIENT

    @property
    def has_body(self) -> bool:
        return self.method in ("POST", "PUT")

    def unsigned(self, party: Party, client_id: str, **metadata: Any) -> Draft:
        """Return a request that lacks nothing but its signature."""
        match self.method:
            case "POST":
                return party.draft("POST", body=party.metadata(**metadata))
            case "PUT":
                body = party.metadata(client_id=client_id, **metadata)
                return party.draft("PUT", client_id, body)
            case method:
                return party.draft(method, client_id)

    def request(self, party: Party, client_id: str, **metadata: Any) -> Draft:
        """Return a request that would succeed."""
        return party.signed(self.unsigned(party, client_id, **metadata))


REGISTRATION = Operation("register", "POST", 201, REGISTER)
READ = Operation("read", "GET", 200)
UPDATE = Operation("update", "PUT", 200)
DELETION = Operation("delete", "DELETE", 204)
OPERATIONS = (REGISTRATION, READ, UPDATE, DELETION)


def name_of(operation: Operation) -> str:
    """Return how a test about an operation is called."""
    return operation.name


def check_refusal(
    reply: Reply, status: int, error: str, *, request: Draft | None = None, template: str = ""
) -> None:
    """Check a refusal: its status, the fields and members every refusal of its kind carries."""
    assert (reply.status, reply.json["error"]) == (status, error), reply
    check_fields(reply, request)
    members = {"error", "error_description", "error_uri"}
    if status != 400:
        members |= {"timestamp", "status", "message", "path"}
        assert reply.json["status"] == status
        assert reply.json["path"] == template
        assert datetime.fromisoformat(reply.json["timestamp"]).tzinfo is not None
    assert reply.json.keys() - {"findings", "explanation"} == members
    for member in members - {"error_uri", "status"}:
        assert len(reply.json[member]) <= LONGEST_TEXT
    _check_fields_of(reply)


def check_fields(reply: Reply, request: Draft | None) -> None:
    """Check the header fields that every answer carries."""
    expected = request.get("x-request-id") if request else None
    if expected is not None:
        assert reply.fields["x-request-id"] == expected
    else:
        assert reply.fields["x-request-id"].startswith("enrol-")
    assert reply.fields["cache-control"] == "no-store"
    if reply.status != 204:
        assert reply.fields["content-type"] == "application/json; charset=utf-8"


def _check_fields_of(reply: Reply) -> None:
    """Check the header fields that belong to some statuses."""
    match reply.status:
        case 401:
            assert reply.fields["www-authenticate"].startswith(("Bearer ", "Signature "))
        case 405:
            assert reply.fields["allow"]
        case 408:
            assert reply.fields["connection"] == "close"
        case 429 | 503:
            assert reply.fields["retry-after"].isdecimal()
            assert int(reply.fields["retry-after"]) >= 1
