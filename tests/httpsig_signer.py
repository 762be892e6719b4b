"""A client that makes mistakes in its signatures, and what is said about them."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from enrol.httpsig import (
    STET,
    HttpMessage,
    Mode,
    Primitive,
    SigningKey,
    sign_rfc9421,
    signature_base,
)
from enrol.httpsig.components import Component, ComponentSource
from enrol.httpsig.explain import GivenKey, SignatureReport, Verdict, explain_signature
from httpsig_messages import with_field, with_fields, without_field

NAMES = ("(request-target)", "digest", "x-request-id")
BOTH = replace(STET, modes=tuple(Mode))


@dataclass(frozen=True)
class Signer:
    """A client that makes mistakes: it signs any text and writes any parameters."""

    key: SigningKey

    def signed(
        self,
        message: HttpMessage,
        text: bytes,
        *,
        names: tuple[str, ...] = NAMES,
        signature: bytes | None = None,
        **parameters: str,
    ) -> HttpMessage:
        octets = self.key.sign(text) if signature is None else signature
        values = {
            "keyId": "k",
            "headers": " ".join(names),
            "signature": b64encode(octets).decode(),
        } | parameters
        written = ",".join(f'{name}="{value}"' for name, value in values.items())
        return with_field(message, b"signature", written.encode())

    def explained(
        self, message: HttpMessage, at: datetime, primitive: Primitive | None = None, **options
    ) -> SignatureReport:
        key = GivenKey(self.key.verification_key().public_key, primitive or self.key.primitive)
        return explain_signature(message, key, at=at, **options)


def text_of(message: HttpMessage, *names: str) -> bytes:
    """Return the right signing string, built apart from the library."""
    lines = []
    for name in names or NAMES:
        if name == "(request-target)":
            value = message.method.lower().encode() + b" " + message.target
        else:
            value = b", ".join(v.strip(b" \t") for v in message.values(name.encode()))
        lines.append(name.encode() + b": " + value)
    return b"\n".join(lines)


def names_of(report: SignatureReport) -> set[str]:
    return {part for mistake in report.mistakes for part in mistake.name.split("+")}


def broken(report: SignatureReport) -> set[str]:
    return {finding.rule for finding in report.having(Verdict.FAILS)}


def rfc9421_message(
    message: HttpMessage, key: SigningKey, at: datetime, bend: Callable[[bytes], bytes]
) -> HttpMessage:
    """Return a message signed by RFC 9421, over a bent signature base."""
    covered = ("@method", "@authority", "@path", "@query", "content-digest", "x-request-id")
    digest = sha256(message.body).digest()
    message = with_field(
        without_field(message, b"digest"),
        b"content-digest",
        b"sha-256=:" + b64encode(digest) + b":",
    )
    created = int(at.timestamp())
    (stated, _) = sign_rfc9421(message, key=key, keyid="k", created=created, covered=covered)
    base = signature_base(
        ComponentSource(message),
        [Component(name) for name in covered],
        stated[1].partition("=")[2],
    )
    signature = b64encode(key.sign(bend(base))).decode()
    return with_fields(message, (stated, ("Signature", f"sig1=:{signature}:")))


# Laws
