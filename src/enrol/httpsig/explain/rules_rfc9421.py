"""Rules of RFC 9421: components, times, algorithm and the signature base, each by itself."""

from collections.abc import Iterator
from datetime import datetime

from enrol.errors import RefusalError
from enrol.httpsig.algorithm import message_key
from enrol.httpsig.components import Component, ComponentSource
from enrol.httpsig.coverage import check_components
from enrol.httpsig.crypto import VerificationKey
from enrol.httpsig.explain.findings import code_of, decided, fails, holds, undecided
from enrol.httpsig.explain.report import RuleFinding
from enrol.httpsig.explain.statements import NO_KEY
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.rfc9421 import MessageSignature, signature_base
from enrol.httpsig.sign import COMPONENTS
from enrol.httpsig.times import check_message_times


def components(
    message: HttpMessage, parsed: MessageSignature, policy: SignaturePolicy
) -> Iterator[RuleFinding]:
    """Yield the verdicts on what is covered and on what has a value in the message."""
    source = ComponentSource(message, authority=policy.authority, scheme=policy.scheme)
    absent = [
        str(component)
        for component in parsed.components
        if code_of(source.value, component) is not None
    ]
    yield fails("M-CMP", " ".join(absent)) if absent else holds("M-CMP")
    code = code_of(check_components, message, parsed.components, policy)
    yield decided("M-COV", code, " ".join(_uncovered(message, parsed.components, policy)))
    base = computed_base(message, parsed, policy)
    if not absent:
        yield holds("STR-8") if base is not None else fails("STR-8")


def _uncovered(
    message: HttpMessage, covered: tuple[Component, ...], policy: SignaturePolicy
) -> Iterator[str]:
    """Yield the components without which the check fails though all others are covered."""
    for name in (*COMPONENTS, "@query"):
        others = [Component(other) for other in (*COMPONENTS, "@query") if other != name]
        if code_of(check_components, message, (*covered, *others), policy) is not None:
            yield name


def times(parsed: MessageSignature, at: datetime, policy: SignaturePolicy) -> RuleFinding:
    """Return the verdict on created and expires."""
    code = code_of(check_message_times, parsed, at=at, policy=policy)
    stated = [
        f"{name} is {seconds - round(at.timestamp())} s from the time of the verifier"
        for name, seconds in (("created", parsed.created), ("expires", parsed.expires))
        if seconds is not None
    ]
    return decided("M-TIM", code, ", ".join(stated) or "created is missing")


def algorithm(parsed: MessageSignature, key: VerificationKey | None) -> RuleFinding:
    """Return the verdict on alg."""
    if key is None:
        return undecided("M-ALG", NO_KEY)
    return decided("M-ALG", code_of(message_key, parsed.algorithm, key), key.primitive.value)


def computed_base(
    message: HttpMessage, parsed: MessageSignature, policy: SignaturePolicy
) -> bytes | None:
    """Return the signature base the verifier builds, None where it refuses to."""
    source = ComponentSource(message, authority=policy.authority, scheme=policy.scheme)
    try:
        return signature_base(source, parsed.components, parsed.signature_params)
    except RefusalError:
        return None


def arithmetic(
    message: HttpMessage,
    parsed: MessageSignature,
    key: VerificationKey | None,
    policy: SignaturePolicy,
) -> RuleFinding:
    """Return the verdict on the signature over the signature base."""
    base = computed_base(message, parsed, policy)
    if base is None:
        return undecided("M-SIG", "There is no signature base.")
    if key is None:
        return undecided("M-SIG", NO_KEY)
    good = key.for_rfc9421().verify(parsed.signature, base)
    return holds("M-SIG") if good else fails("M-SIG")
