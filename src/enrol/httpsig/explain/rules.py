"""Rules of either mode: hygiene of the message, the key and its name, the digest of the body."""

from collections.abc import Iterator
from typing import Final

from enrol.httpsig.coverage import digest_is_required
from enrol.httpsig.crypto import VerificationKey
from enrol.httpsig.digest import verify_digest
from enrol.httpsig.explain.findings import code_of, decided, fails, holds, stepwise, undecided
from enrol.httpsig.explain.report import GivenKey, RuleFinding
from enrol.httpsig.explain.statements import NO_BODY, NO_KEY, ONLY_THE_BANK
from enrol.httpsig.keyid import (
    CertificateUrl,
    KnownKey,
    check_certificate,
    find_key,
    matches_certificate,
    parse_keyid,
)
from enrol.httpsig.message import SINGLE_FIELDS, HttpMessage, check_hygiene
from enrol.httpsig.policy import Mode, SignaturePolicy

_DIGEST: Final = (("DIG-1",), ("DIG-3", "DIG-8"), ("DIG-5", "DIG-6"), ("DIG-12", "DIG-7", "DIG-9"))
_CONTENT_DIGEST: Final = (("M-CD-1", "M-CD-4"), ("M-CD-2",), ("M-CD-3",))
_OF_THE_BODY: Final = frozenset({"DIG-9", "M-CD-3"})
_FRAMING: Final = (b"transfer-encoding", b"content-length")


def hygiene(message: HttpMessage) -> Iterator[RuleFinding]:
    """Yield the verdicts on what makes a message unambiguous, each by itself."""
    line = HttpMessage(message.method, message.target, (), b"")
    yield decided("STR-6", code_of(check_hygiene, line))
    names = tuple(name for name in message.first if name not in _FRAMING)
    yield from stepwise((("CAR-6",), ("SMG-2",)), code_of(check_hygiene, _empty(*names)))
    values = tuple((b"x%d" % n, value) for n, (_, value) in enumerate(message.fields))
    code = code_of(check_hygiene, HttpMessage("GET", b"/", values, b""))
    yield from stepwise((("SMG-1", "STR-3"),), code)
    single = tuple(name for name, _ in message.fields if name in SINGLE_FIELDS)
    doubled = sorted(name.decode() for name in set(single) if single.count(name) > 1)
    yield decided("HDR-11", code_of(check_hygiene, _empty(*single)), ", ".join(doubled))
    framing = tuple(name for name in _FRAMING if message.has(name))
    yield decided("SMG-3", code_of(check_hygiene, _empty(*framing)))


def strength(given: GivenKey | None, code: str | None) -> Iterator[RuleFinding]:
    """Yield the verdict on the key itself; `code` is what it was refused with."""
    yield undecided("ALG-8", NO_KEY) if given is None else decided("ALG-8", code)


def key_name(
    keyid: str, given: GivenKey | None, key: VerificationKey | None
) -> Iterator[RuleFinding]:
    """Yield the verdicts on keyId and on what it names."""
    code = code_of(parse_keyid, keyid)
    yield from stepwise((("KEY-4",), ("KEY-1",)), code)
    if code is None:
        yield from _named_key(keyid, given, key)


def check_key_name(keyid: str, given: GivenKey | None, key: VerificationKey | None) -> None:
    """Refuse a keyId that cannot name the key given, as far as that is known.

    Raises `SignatureError` with KEY-1 to KEY-4.
    """
    parsed = parse_keyid(keyid)
    if given is None:
        return
    if given.keyid is not None and key is not None:
        find_key(keyid, [KnownKey(given.keyid, key, given.certificate)])
        return
    der = given.certificate
    if isinstance(parsed, CertificateUrl) and der and matches_certificate(parsed, der) is False:
        check_certificate(parsed, der)


def _named_key(
    keyid: str, given: GivenKey | None, key: VerificationKey | None
) -> Iterator[RuleFinding]:
    """Yield KEY-2 and, where there is a fingerprint to compare, KEY-3."""
    code = code_of(check_key_name, keyid, given, key)
    known = given is not None and given.keyid is not None and key is not None
    parsed = parse_keyid(keyid)
    has_print = isinstance(parsed, CertificateUrl) and bool(parsed.sha256 or parsed.sha1)
    yield decided("KEY-2", code) if known else undecided("KEY-2", ONLY_THE_BANK)
    if code == "KEY-3":
        yield fails("KEY-3")
    elif has_print:
        comparable = given is not None and given.certificate is not None
        yield holds("KEY-3") if comparable else undecided("KEY-3", "Needs the certificate.")


def memory(message: HttpMessage) -> Iterator[RuleFinding]:
    """Yield what rests on the requests the bank has seen before."""
    yield undecided("REP-1", ONLY_THE_BANK)
    if message.has(b"x-request-id"):
        yield undecided("REP-2", ONLY_THE_BANK)


def digest(
    message: HttpMessage, policy: SignaturePolicy, mode: Mode, *, has_body: bool
) -> Iterator[RuleFinding]:
    """Yield the verdicts on Digest and Content-Digest, each as if the other were not there."""
    required = digest_is_required(message, policy)
    modern = mode is Mode.RFC9421
    if not modern:
        message = _without(message, b"signature-input")
    if message.has(b"digest") or (required and not modern):
        alone = _without(message, b"content-digest")
        code = code_of(verify_digest, alone, required=required)
        if code != "HDR-11":  # which of two is meant cannot be said
            yield from _of_body(stepwise(_DIGEST, code), has_body=has_body)
    if message.has(b"content-digest") or (required and modern):
        alone = _without(message, b"digest")
        code = code_of(verify_digest, alone, required=required)
        if code == "M-CD-2" and not message.has(b"content-digest"):
            yield fails("M-CD-2")
            return
        yield from _of_body(stepwise(_CONTENT_DIGEST, code), has_body=has_body)


def _of_body(findings: Iterator[RuleFinding], *, has_body: bool) -> Iterator[RuleFinding]:
    for finding in findings:
        if has_body or finding.rule not in _OF_THE_BODY:
            yield finding
        else:
            yield undecided(finding.rule, NO_BODY)


def _empty(*names: bytes) -> HttpMessage:
    return HttpMessage("GET", b"/", tuple((name, b"") for name in names), b"")


def _without(message: HttpMessage, name: bytes) -> HttpMessage:
    fields = tuple(field for field in message.fields if field[0] != name)
    return HttpMessage(message.method, message.target, fields, message.body)
