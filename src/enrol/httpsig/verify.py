"""Judging a signature: coverage, algorithm, times, digest, and only then the arithmetic."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from enrol.httpsig import cavage, rfc9421
from enrol.httpsig.algorithm import check_label, message_key
from enrol.httpsig.cavage import SignatureParameters
from enrol.httpsig.components import ComponentSource
from enrol.httpsig.coverage import check_components, check_names, digest_is_required
from enrol.httpsig.crypto import Primitive, VerificationKey
from enrol.httpsig.digest import VerifiedDigest, verify_digest
from enrol.httpsig.errors import SignatureError, SignatureSyntaxError
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import STET, Mode, Quirk, SignaturePolicy
from enrol.httpsig.rfc9421 import MessageSignature
from enrol.httpsig.times import check_message_times, check_times

ParsedSignature = SignatureParameters | MessageSignature
"""A signature that was read and not verified, of either mode."""


class VerifiedSignature(Struct, frozen=True):
    """A signature that holds.

    `covered` are the names or components signed, in order; `created` is in seconds since the
    epoch, signed or not; `warnings` name the compatibility switches it took.
    """

    keyid: str
    mode: Mode
    covered: tuple[str, ...]
    created: int | None
    primitive: Primitive
    warnings: tuple[Quirk, ...]


def parse_signature(message: HttpMessage, *, policy: SignaturePolicy = STET) -> ParsedSignature:
    """Choose the mode once, by `Signature-Input`, and read the signature; nothing is verified.

    Raises `HygieneError`, `SignatureSyntaxError`, `SignatureError`; CAR-4 when `Signature-Input`
    is there and RFC 9421 is not allowed.
    """
    if _mode_of(message, policy) is Mode.CAVAGE:
        return cavage.parse_signature(message)
    return rfc9421.parse_signature(message)


def read_signature(message: HttpMessage, *, policy: SignaturePolicy = STET) -> ParsedSignature:
    """Read the signature of a message that passed `check_hygiene`, as `parse_signature` does."""
    if _mode_of(message, policy) is Mode.CAVAGE:
        return cavage.read_signature(message)
    return rfc9421.read_signature(message)


def _mode_of(message: HttpMessage, policy: SignaturePolicy) -> Mode:
    modes = policy.modes
    if Mode.CAVAGE in modes and (
        b"signature-input" not in message.first or Mode.RFC9421 not in modes
    ):
        return Mode.CAVAGE
    if Mode.RFC9421 in modes:
        return Mode.RFC9421
    raise SignatureSyntaxError("CAR-4")


def unverified_keyid(message: HttpMessage, *, policy: SignaturePolicy = STET) -> str:
    """Return the keyId a message names, which may be anything; raises as `parse_signature`."""
    return parse_signature(message, policy=policy).unverified_keyid


def verify_message(
    message: HttpMessage,
    find_key: Callable[[str], VerificationKey],
    *,
    at: datetime,
    policy: SignaturePolicy = STET,
) -> VerifiedSignature:
    """Read and verify the signature of a message with the key `find_key` has for its keyId."""
    parsed = parse_signature(message, policy=policy)
    key = find_key(parsed.unverified_keyid)
    return verify_signature(message, parsed, key, at=at, policy=policy)


def verify_signature(
    message: HttpMessage,
    parsed: ParsedSignature,
    key: VerificationKey,
    *,
    at: datetime,
    policy: SignaturePolicy = STET,
    digest: VerifiedDigest | None = None,
) -> VerifiedSignature:
    """Verify a signature read from `message` with the key its keyId names.

    1. what is covered can be covered (HDR-2, M-CMP), and what must be covered is (COV, M-COV);
    2. what it says of its algorithm agrees with the key (ALG, M-ALG);
    3. its times hold at `at`, aware UTC (TIM, M-TIM);
    4. the body has the digest stated, unless `digest` says so of this very message (DIG, M-CD);
    5. the signature is the key's over the bytes received (SIG-1, M-SIG).

    Raises `SignatureError`, `DigestError` and `HygieneError`.
    """
    if isinstance(parsed, MessageSignature):
        return _verify_rfc9421(message, parsed, key, at=at, policy=policy, digest=digest)
    covered = parsed.headers
    warnings: tuple[Quirk, ...] = ()
    if covered:
        check_names(message, covered, policy)  # (1)
    elif policy.empty_headers:
        warnings = (Quirk.EMPTY_HEADERS,)
    else:
        raise SignatureError("HDR-2")
    check_label(parsed.algorithm, covered, key.primitive, policy.algorithm_aliases)  # (2)
    check_times(message, parsed, at=at, policy=policy)  # (3)
    if digest is None or digest.message is not message:  # (4)
        verify_digest(message, required=covered != () and digest_is_required(message, policy))
    if parsed.algorithm in policy.algorithm_aliases:
        warnings += (Quirk.ALGORITHM_ALIAS,)
    warnings += check_cavage_bytes(message, parsed, key, policy)  # (5)
    return VerifiedSignature(
        parsed.unverified_keyid, Mode.CAVAGE, covered, parsed.created, key.primitive, warnings
    )


def check_cavage_bytes(
    message: HttpMessage,
    parsed: SignatureParameters,
    key: VerificationKey,
    policy: SignaturePolicy,
) -> tuple[Quirk, ...]:
    """Check the signature over the signing string, and over that of a PUT signed as POST."""
    target, warnings = signed_target(message, parsed, policy)
    signed = cavage.signing_string(message, parsed, target=target)
    if key.verify(parsed.signature, signed):
        return warnings
    if policy.put_signed_as_post and message.method == "PUT":
        signed = cavage.signing_string(message, parsed, method="POST", target=target)
        if key.verify(parsed.signature, signed):
            return (*warnings, Quirk.PUT_SIGNED_AS_POST)
    raise SignatureError("SIG-1")


def signed_target(
    message: HttpMessage, parsed: SignatureParameters, policy: SignaturePolicy
) -> tuple[bytes, tuple[Quirk, ...]]:
    """Return the target a signature is to cover, and the switch that makes it another one."""
    prefix, target = policy.stripped_prefix, message.target
    if prefix and target.startswith(prefix + b"/") and "(request-target)" in parsed.headers:
        return target[len(prefix) :], (Quirk.STRIPPED_PREFIX,)
    return target, ()


def _verify_rfc9421(
    message: HttpMessage,
    parsed: MessageSignature,
    key: VerificationKey,
    *,
    at: datetime,
    policy: SignaturePolicy,
    digest: VerifiedDigest | None,
) -> VerifiedSignature:
    source = ComponentSource(message, authority=policy.authority, scheme=policy.scheme)
    base = rfc9421.signature_base(source, parsed.components, parsed.signature_params)
    check_components(message, parsed.components, policy)  # (1)
    key = message_key(parsed.algorithm, key)  # (2)
    check_message_times(parsed, at=at, policy=policy)  # (3)
    if digest is None or digest.message is not message:  # (4)
        verify_digest(message, required=digest_is_required(message, policy))
    if not key.verify(parsed.signature, base):  # (5)
        raise SignatureError("M-SIG")
    return VerifiedSignature(
        parsed.unverified_keyid,
        Mode.RFC9421,
        tuple([str(component) for component in parsed.components]),
        parsed.created,
        key.primitive,
        (),
    )
