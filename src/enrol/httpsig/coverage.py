"""What must be signed: names for draft-cavage, components for RFC 9421."""

from typing import Final

from enrol.httpsig.components import Component
from enrol.httpsig.errors import SignatureError
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import STET, SignaturePolicy

CODES: Final = {
    "(request-target)": "COV-1",
    "digest": "COV-2",
    "x-request-id": "COV-3",
    "host": "COV-5",
}
"""The rule that wants a name covered; COV-6 for any other."""

_WHOLE_TARGET: Final = ("@authority", "@path", "@query")


def digest_is_required(message: HttpMessage, policy: SignaturePolicy = STET) -> bool:
    """Say whether a message must state a digest: all but GET and DELETE without content (DIG-1)."""
    if policy.coverage.digest_of_nothing:
        return True
    return message.method not in {"GET", "DELETE"} or message.body != b""


def check_names(message: HttpMessage, covered: tuple[str, ...], policy: SignaturePolicy) -> None:
    """Refuse a list of covered names that leaves out what the profile demands.

    Raises `SignatureError` with COV-1 to COV-6.
    """
    profile = policy.coverage
    for name in profile.required:
        if name not in covered and (name != "digest" or digest_is_required(message, policy)):
            raise SignatureError(CODES.get(name, "COV-6"))
    if "digest" not in covered and message.has(b"digest") and not profile.unsigned_digest:
        raise SignatureError("COV-2")
    if profile.signed_time and "date" not in covered and "(created)" not in covered:
        raise SignatureError("COV-4")
    for name in profile.when_present:
        if not _covers_when_present(message, covered, name):
            raise SignatureError("COV-6")


def check_components(
    message: HttpMessage, components: tuple[Component, ...], policy: SignaturePolicy
) -> None:
    """Refuse components that leave method, target, digest or request id unsigned.

    Raises `SignatureError` with M-COV (RFC 9421 §7.2.1).
    """
    covered = {component.name for component in components if not component.parameters}
    if "@target-uri" in covered:
        covered.update(_WHOLE_TARGET)
    required = {"@method", "@authority", "@path", "x-request-id"}
    if b"?" in message.target:
        required.add("@query")
    if message.has(b"content-digest") or digest_is_required(message, policy):
        required.add("content-digest")
    if not required <= covered:
        raise SignatureError("M-COV")


def _covers_when_present(message: HttpMessage, covered: tuple[str, ...], pattern: str) -> bool:
    """Say whether the fields a pattern names, ``psu-*`` or one name, are covered if present."""
    if not pattern.endswith("*"):
        return pattern in covered or not message.has(pattern.encode())
    prefix = pattern[:-1].encode()
    names = {name for name, _ in message.fields if name.startswith(prefix)}
    return names <= {name.encode() for name in covered}
