"""What is remembered of a software statement that a client was registered with."""

import msgspec

from enrol.registration.audit import Blob


class StatementUse(msgspec.Struct, frozen=True):
    """The software statement a client rests on.

    `name` is the SHA-256 over its issuer and ``jti``, `digest` that of its text. One that is used
    `once` is that of one client.
    """

    name: bytes
    digest: bytes
    once: bool = True


class AcceptedStatement(msgspec.Struct, frozen=True):
    """A statement that was judged: its use, and the names of the members it says something of.

    `key` is the key of the issuer that made it, as a JWK, where it was not judged before.
    """

    use: StatementUse
    members: frozenset[str]
    key: Blob | None = None
