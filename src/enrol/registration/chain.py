"""The chain of the audit trail: each event holds a hash over itself and all events before it."""

import hashlib
from typing import Final, cast

import msgspec

GENESIS: Final = bytes(32)
"""What stands for the hash of the event before the first."""

Columns = tuple[int, int, str, str | None, str | None, str | None, str | None, str, bytes | None]
"""id, at, type, code, organization_identifier, client_id, request_id, evidence, request."""

_encode: Final = msgspec.msgpack.Encoder().encode


class ChainedEvent(msgspec.Struct, frozen=True):
    """An event as it stands in the trail; `at` is in milliseconds since 1970, UTC."""

    id: int
    at: int
    type: str
    code: str | None
    organization_identifier: str | None
    client_id: str | None
    request_id: str | None
    evidence: str
    request: bytes | None
    hash: bytes

    @property
    def columns(self) -> Columns:
        """What the hash is over."""
        return cast("Columns", msgspec.structs.astuple(self)[:-1])

    @property
    def is_typed(self) -> bool:
        """Whether every column has the type that Enrol writes, which a database does not ensure."""
        names = (self.code, self.organization_identifier, self.client_id, self.request_id)
        return (
            isinstance(self.at, int)
            and isinstance(self.type, str)
            and all(isinstance(name, str | None) for name in names)
            and isinstance(self.evidence, str)
            and isinstance(self.request, bytes | None)
            and isinstance(self.hash, bytes)
        )


class Head(msgspec.Struct, frozen=True):
    """Where a chain ends: the `id` of its last event, which is how many there are, and its hash."""

    id: int = 0
    hash: bytes = GENESIS


def chain_hash(previous: bytes, columns: Columns) -> bytes:
    """Return SHA-256(previous hash, MessagePack array of the columns).

    MessagePack in the shortest form of each value, as its specification advises. What it gives for
    an event never changes, as every hash stored rests on it.
    """
    return hashlib.sha256(previous + _encode(columns)).digest()
