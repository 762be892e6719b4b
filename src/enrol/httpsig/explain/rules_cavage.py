"""Rules of draft-cavage: coverage, label, times and the signing string, each by itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from msgspec.structs import replace as changed

from enrol.errors import RefusalError
from enrol.httpsig.algorithm import LABELS, check_label
from enrol.httpsig.cavage import SignatureParameters, signing_string
from enrol.httpsig.coverage import CODES, check_names
from enrol.httpsig.crypto import Primitive, VerificationKey
from enrol.httpsig.dates import parse_date
from enrol.httpsig.explain.findings import code_of, decided, fails, holds, undecided
from enrol.httpsig.explain.report import RuleFinding
from enrol.httpsig.explain.statements import NO_KEY
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.times import check_times
from enrol.httpsig.verify import check_cavage_bytes, signed_target

_EVER: Final = 10**12
"""Seconds after which nothing is ever too old or too early."""


def coverage(
    message: HttpMessage, covered: tuple[str, ...], policy: SignaturePolicy
) -> Iterator[RuleFinding]:
    """Yield the verdict on each name that must be covered."""
    if not covered:
        yield holds("HDR-2") if policy.empty_headers else fails("HDR-2")
        return
    yield holds("HDR-2")
    profile = policy.coverage
    digest = tuple(name for name in profile.required if name == "digest")
    for name in dict.fromkeys((*profile.required, "digest")):
        required = digest if name == "digest" else (name,)
        code = _coverage_code(message, covered, policy, required=required)
        yield decided(CODES.get(name, "COV-6"), code)
    if profile.signed_time:
        yield decided("COV-4", _coverage_code(message, covered, policy, signed_time=True))
    if profile.when_present:
        missing = [
            name
            for name in profile.when_present
            if _coverage_code(message, covered, policy, when_present=(name,)) == "COV-6"
        ]
        yield decided("COV-6", "COV-6" if missing else None, " ".join(missing))


def label(
    parsed: SignatureParameters, primitive: Primitive | None, policy: SignaturePolicy
) -> Iterator[RuleFinding]:
    """Yield the verdicts on the algorithm parameter; `primitive` is None without a key."""
    text, aliases = parsed.algorithm, policy.algorithm_aliases
    known = LABELS.get(aliases.get(text, text)) if text is not None else tuple(Primitive)
    fitting = known[0] if known else Primitive.ED25519
    code = code_of(check_label, text, (), fitting, aliases)
    yield decided("ALG-1", code)
    yield decided("ALG-4", code)
    if code is not None:
        return
    if primitive is None:
        yield undecided("ALG-3", NO_KEY)
    else:
        yield decided("ALG-3", code_of(check_label, text, (), primitive, aliases), primitive.value)
    yield decided("ALG-9", code_of(check_label, text, parsed.headers, fitting, aliases))


def times(
    message: HttpMessage, parsed: SignatureParameters, at: datetime, policy: SignaturePolicy
) -> Iterator[RuleFinding]:
    """Yield the verdict on each time that is stated."""
    undated = changed(parsed, headers=tuple(name for name in parsed.headers if name != "date"))
    if parsed.created is not None:
        code = code_of(check_times, message, changed(undated, expires=None), at=at, policy=policy)
        detail = f"created is {_distance(parsed.created - at.timestamp())}"
        yield decided("TIM-1", code, detail)
        if "(created)" in parsed.headers:
            yield decided("TIM-4", code, detail)
    if parsed.expires is not None:
        alone = changed(undated, created=None)
        code = code_of(check_times, message, alone, at=at, policy=policy)
        yield decided("TIM-2", code, f"expires is {_distance(parsed.expires - at.timestamp())}")
        patient = replace(policy, max_age=_EVER, leeway=_EVER)
        code = code_of(check_times, message, undated, at=at, policy=patient)
        yield decided("TIM-5", code)
    if "date" in parsed.headers and message.has(b"date"):
        alone = changed(parsed, created=None, expires=None)
        code = code_of(check_times, message, alone, at=at, policy=policy)
        yield decided("TIM-6", code)
        if code == "TIM-6":
            yield undecided("TIM-3")
        else:
            yield decided("TIM-3", code, f"Date is {_distance(_seconds_to_date(message, at))}")


def lines(message: HttpMessage, parsed: SignatureParameters) -> Iterator[RuleFinding]:
    """Yield the verdicts on what goes into the signing string."""
    codes = {
        name: code_of(signing_string, message, changed(parsed, headers=(name,)))
        for name in parsed.headers
    }
    for rule in ("HDR-7", "TIM-0", "STR-8"):
        found = [name for name, code in codes.items() if code == rule]
        yield decided(rule, rule if found else None, ", ".join(found))


def computed_string(
    message: HttpMessage, parsed: SignatureParameters, policy: SignaturePolicy
) -> bytes | None:
    """Return the signing string the verifier builds, None where it refuses to."""
    target, _ = signed_target(message, parsed, policy)
    try:
        return signing_string(message, parsed, target=target)
    except RefusalError:
        return None


def arithmetic(
    message: HttpMessage,
    parsed: SignatureParameters,
    key: VerificationKey | None,
    policy: SignaturePolicy,
) -> RuleFinding:
    """Return the verdict on the signature over the signing string."""
    if computed_string(message, parsed, policy) is None:
        return undecided("SIG-1", "There is no signing string.")
    if key is None:
        return undecided("SIG-1", NO_KEY)
    return decided("SIG-1", code_of(check_cavage_bytes, message, parsed, key, policy))


def _coverage_code(
    message: HttpMessage, covered: tuple[str, ...], policy: SignaturePolicy, **wanted: object
) -> str | None:
    """Return what a list of names is refused with when nothing is wanted but `wanted`.

    A Digest that is there must be covered whatever the profile: it is left out where that is not
    the question.
    """
    if wanted.get("required") not in ((), ("digest",)):
        fields = tuple(field for field in message.fields if field[0] != b"digest")
        message = replace(message, fields=fields)
    bare = replace(policy.coverage, required=(), signed_time=False, when_present=())
    one = replace(policy, coverage=replace(bare, **wanted))  # type: ignore[arg-type] # its fields
    return code_of(check_names, message, covered, one)


def _seconds_to_date(message: HttpMessage, at: datetime) -> float:
    return (parse_date(message.combined(b"date") or b"", at=at) - at).total_seconds()


def _distance(seconds: float) -> str:
    """Return how far a time is from the verifier's, in words."""
    whole = round(abs(seconds))
    return f"{whole} s after the time of the verifier" if seconds > 0 else f"{whole} s before it"
