"""The seal of a bank: whether an answer bears it, and answers the request that was sent."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import httpx
from cryptography.x509 import Certificate

from enrol.client.errors import UnbelievedAnswerError
from enrol.errors import RefusalError, SignatureError
from enrol.httpsig import (
    RESPONSE,
    HttpMessage,
    parse_signature,
    verification_key,
    verify_signature,
)


@dataclass(frozen=True, slots=True)
class BankSeal:
    """The certificates a bank signs its answers with; `required` refuses answers without."""

    certificates: tuple[Certificate, ...]
    required: bool = False

    def check(self, response: httpx.Response, *, request: httpx.Request, at: datetime) -> None:
        """Refuse an answer whose signature is not the bank's, or is of another request's answer.

        It covers `Digest`, `Date`, `X-Request-ID` and the target of the request (draft-cavage-12),
        and is made with a certificate that is valid at `at` (aware UTC). Raises
        `UnbelievedAnswerError`; what a test of the signature says is its `rule`.
        """
        request_id = request.headers["x-request-id"]
        if "signature" not in response.headers:
            if self.required:
                raise UnbelievedAnswerError("bank_signature_missing", request_id=request_id)
            return
        if response.headers.get("x-request-id") != request_id:
            raise UnbelievedAnswerError("bank_signature_elsewhere", request_id=request_id)
        valid = [each for each in self.certificates if _is_valid(each, at)]
        if not valid:
            raise UnbelievedAnswerError("bank_seal_expired", request_id=request_id)
        message = HttpMessage.of(
            request.method, request.url.raw_path, response.headers.raw, response.content
        )
        try:
            _verify(message, valid, at)
        except RefusalError as exc:
            raise UnbelievedAnswerError(
                "bank_signature_invalid", request_id=request_id, rule=exc.code
            ) from exc


def _is_valid(certificate: Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _verify(message: HttpMessage, certificates: Sequence[Certificate], at: datetime) -> None:
    """Verify with one of the certificates; a bank that is changing its seal has two."""
    parsed = parse_signature(message, policy=RESPONSE)
    *others, last = [verification_key(each.public_key()) for each in certificates]
    for key in others:
        with suppress(SignatureError):
            verify_signature(message, parsed, key, at=at, policy=RESPONSE)
            return
    verify_signature(message, parsed, last, at=at, policy=RESPONSE)
