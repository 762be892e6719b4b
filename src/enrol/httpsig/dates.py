"""Dates of HTTP (RFC 9110 §5.6.7): the one form that is sent and the two that are still read."""

import re
from datetime import UTC, datetime
from typing import Final

from enrol.httpsig.errors import SignatureError

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_DAY: Final = "(?P<weekday>Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH: Final = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME: Final = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FIXDATE: Final = re.compile(
    f"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"
)
_RFC850: Final = re.compile(
    f"(?P<weekday>{'|'.join(_DAYS)}), (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"
)
_ASCTIME: Final = re.compile(f"{_DAY} {_MONTH} (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})")


def parse_fixdate(value: bytes) -> datetime:
    """Read the form ``Tue, 14 Nov 2023 22:13:20 GMT``; `SignatureError` with TIM-6 otherwise."""
    return _date(_FIXDATE.fullmatch(_text(value)), century=0)


def parse_date(value: bytes, *, at: datetime) -> datetime:
    """Read any of the three forms; a year of two digits is at most 50 years after `at`.

    Raises `SignatureError` with TIM-6.
    """
    text = _text(value)
    match = _FIXDATE.fullmatch(text) or _ASCTIME.fullmatch(text)
    if match:
        return _date(match, century=0)
    match = _RFC850.fullmatch(text)
    century = at.year - at.year % 100
    if match and century + int(match["year"]) > at.year + 50:
        century -= 100
    return _date(match, century=century)


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _date(match: re.Match[str] | None, *, century: int) -> datetime:
    if match is None:
        raise SignatureError("TIM-6")
    try:
        date = datetime(
            century + int(match["year"]),
            _MONTHS.index(match["month"]) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            int(match["second"]),
            tzinfo=UTC,
        )
    except ValueError:
        raise SignatureError("TIM-6") from None
    if not _DAYS[date.weekday()].startswith(match["weekday"]):
        raise SignatureError("TIM-6")
    return date
