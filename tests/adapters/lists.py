"""Lists for tests: those of the sandbox's scheme, and a source that gives what it is told to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding

from enrol.adapters.trustlists.document import Pointer
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.refreshing import RefreshRules
from enrol.sandbox.pki import Issued, create_authority
from enrol.sandbox.scheme import Lists, create_operator, publish
from enrol.sandbox.seed import SeededKeys

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@cache
def authority():
    return create_authority(SeededKeys(3), at=AT)


@cache
def operator(seed: int = 3) -> Issued:
    return create_operator(SeededKeys(seed), at=AT)


@cache
def lists(number: int = 1, *, at: datetime = AT, by: int = 3) -> Lists:
    return publish(authority(), operator(by), number=number, at=at)


def rules(at: datetime = AT, *, by: int = 3, grace: timedelta = timedelta(0)) -> RefreshRules:
    return RefreshRules((operator(by).certificate.public_bytes(Encoding.DER),), at, grace)


class Shelf:
    """A `ListSource` that gives what stands on it."""

    def __init__(self, lotl: bytes | None, national: bytes | None) -> None:
        self.lotl, self.national = lotl, national

    async def lotls(self) -> Sequence[bytes]:
        return self._give(self.lotl)

    async def pivots(self, location: str) -> Sequence[bytes]:
        return self._give(None)

    async def lists(self, pointer: Pointer) -> Sequence[bytes]:
        return self._give(self.national)

    def _give(self, data: bytes | None) -> Sequence[bytes]:
        if data is None:
            raise ListRefusedError("list_unreachable", "not on the shelf")
        return (data,)


def shelf(published: Lists) -> Shelf:
    return Shelf(published.lotl, published.national)
