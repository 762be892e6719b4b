"""The secrets of clients whose method uses one: issued, accepted, and replaced before they expire.

With a lifetime, time since the registration is cut into halves of it, each with a secret of its
own. Answers give that of the current half, which holds to the end of the next: whoever reads the
registration gets a secret good for half a lifetime at least, and the one before still works.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrol.oauth.client_authentication import SECRET_METHODS, not_believed
from enrol.oauth.derived_secrets import client_secret
from enrol.registration.ports import Clock
from enrol.registration.record import ClientRecord


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A secret and its end, in seconds since 1970; 0 is no end (RFC 7591 §3.2.1)."""

    text: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """Derives secrets from that of the server; with `lifetime` None they never expire."""

    secret: bytes = field(repr=False)
    clock: Clock
    lifetime: timedelta | None = None

    def issue(self, record: ClientRecord) -> IssuedSecret | None:
        """Return the secret that an answer about a client gives; None where its method has none."""
        if record.metadata.token_endpoint_auth_method not in SECRET_METHODS:
            return None
        generation = self._generation(record, self.clock())
        expires_at = 0
        if self.lifetime is not None:
            end = record.issued_at + (generation + 1) * self.lifetime / 2
            expires_at = int(end.timestamp())
        return IssuedSecret(self._text(record, generation), expires_at)

    def accepts(self, record: ClientRecord, text: str) -> bool:
        """Tell whether a text is a secret of the client that holds now."""
        generation = self._generation(record, self.clock())
        return self._is_one_of(record, text, (generation, generation - 1))

    def check(self, record: ClientRecord, text: str) -> None:
        """Raise `GrantError` unless a text is a secret of the client that holds now."""
        if self.accepts(record, text):
            return
        generation = self._generation(record, self.clock())
        if self._is_one_of(record, text, (generation - 2,)):
            raise not_believed("client_secret_expired")
        raise not_believed("client_secret_wrong")

    def _generation(self, record: ClientRecord, at: datetime) -> int:
        if self.lifetime is None:
            return 1
        return max(0, (at - record.issued_at) // (self.lifetime / 2)) + 1

    def _is_one_of(self, record: ClientRecord, text: str, generations: tuple[int, ...]) -> bool:
        """Compare in constant time, with each whatever came of the others."""
        if not text.isascii() or record.metadata.token_endpoint_auth_method not in SECRET_METHODS:
            return False
        issued = [self._text(record, each) for each in generations if each >= 1]
        return sum(hmac.compare_digest(text, each) for each in issued) > 0

    def _text(self, record: ClientRecord, generation: int) -> str:
        return client_secret(self.secret, record.client_id, generation)
