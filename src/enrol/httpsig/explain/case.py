"""One message held against one key under one policy, and what the verifier says of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from enrol.errors import RefusalError
from enrol.httpsig.crypto import VerificationKey, verification_key
from enrol.httpsig.dates import parse_date
from enrol.httpsig.digest import VerifiedDigest
from enrol.httpsig.errors import SignatureError
from enrol.httpsig.explain.findings import code_of
from enrol.httpsig.explain.report import GivenKey
from enrol.httpsig.explain.rules import check_key_name
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.verify import parse_signature, verify_signature


@dataclass(frozen=True, slots=True)
class Case:
    """What is explained: see `explain_signature`. `key` is None without a key, or with a weak one.

    `key_code` is what the key given is refused with.
    """

    message: HttpMessage
    given: GivenKey | None
    key: VerificationKey | None
    key_code: str | None
    policy: SignaturePolicy
    has_body: bool

    @classmethod
    def of(
        cls,
        message: HttpMessage,
        given: GivenKey | None,
        *,
        policy: SignaturePolicy,
        has_body: bool,
    ) -> Self:
        """Make the case of a key that may be none, or too weak."""
        key, code = None, None
        if given is not None:
            try:
                key = verification_key(given.public_key, given.primitive)
            except SignatureError as refusal:
                code = refusal.code
        return cls(message, given, key, code, policy, has_body)

    def refusal(self, at: datetime) -> str | None:
        """Return the code the verifier refuses the message with at a time, None if it does not."""
        return self.key_code or code_of(self._verify, at)

    def _verify(self, at: datetime) -> None:
        parsed = parse_signature(self.message, policy=self.policy)
        check_key_name(parsed.unverified_keyid, self.given, self.key)
        if self.key is not None:
            digest = None if self.has_body else VerifiedDigest(self.message, ())
            verify_signature(
                self.message, parsed, self.key, at=at, policy=self.policy, digest=digest
            )

    def stated_times(self, at: datetime) -> Iterator[datetime]:
        """Yield the times at which a message says it was made; `at` tells the century."""
        try:
            created = parse_signature(self.message, policy=self.policy).created
        except RefusalError:
            return
        date = self.message.combined(b"date")
        try:
            if created is not None:
                yield datetime.fromtimestamp(created, UTC)
            if date is not None:
                yield parse_date(date, at=at)
        except (SignatureError, ValueError, OSError, OverflowError):
            return
