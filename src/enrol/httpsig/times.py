"""When a signature was made and until when it holds, against the time of the verifier."""

from datetime import datetime

from enrol.httpsig.cavage import SignatureParameters
from enrol.httpsig.dates import parse_date, parse_fixdate
from enrol.httpsig.errors import SignatureError
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.rfc9421 import MessageSignature


def check_times(
    message: HttpMessage, parameters: SignatureParameters, *, at: datetime, policy: SignaturePolicy
) -> None:
    """Refuse times of a draft-cavage signature that do not hold.

    A future `created` and a past `expires` are refused covered or not; age counts for what is
    covered. Raises `SignatureError` with TIM-1 to TIM-6.
    """
    created, expires = parameters.created, parameters.expires
    if created is not None:
        now = at.timestamp()
        if created > now + policy.leeway:
            raise SignatureError("TIM-1")
        if "(created)" in parameters.headers and now - created > policy.max_age:
            raise SignatureError("TIM-4")
    if expires is not None:
        if created is not None and expires <= created:
            raise SignatureError("TIM-5")
        if expires <= at.timestamp():
            raise SignatureError("TIM-2")
    if "date" in parameters.headers:
        _check_date(message, at, policy)


def check_message_times(
    signature: MessageSignature, *, at: datetime, policy: SignaturePolicy
) -> None:
    """Refuse times of an RFC 9421 signature that do not hold: `SignatureError` with M-TIM."""
    now, created, expires = at.timestamp(), signature.created, signature.expires
    if created is None or not now - policy.max_age <= created <= now + policy.leeway:
        raise SignatureError("M-TIM")
    if expires is not None and (expires <= now or expires <= created):
        raise SignatureError("M-TIM")


def _check_date(message: HttpMessage, at: datetime, policy: SignaturePolicy) -> None:
    value = message.combined(b"date")
    if value is None:
        return  # a covered field that is absent is refused as such (HDR-7)
    obsolete = policy.coverage.obsolete_dates
    date = parse_date(value, at=at) if obsolete else parse_fixdate(value)
    if abs((at - date).total_seconds()) > policy.max_age:
        raise SignatureError("TIM-3")
