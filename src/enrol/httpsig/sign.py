"""Signing messages: the fields to add for each form."""

from collections.abc import Sequence
from typing import Final

from enrol.httpsig import rfc9421
from enrol.httpsig.algorithm import LABELS, check_label, message_algorithm
from enrol.httpsig.cavage import SignatureParameters, covered_names, serialize, signing_string
from enrol.httpsig.components import Component, ComponentSource, read_component
from enrol.httpsig.crypto import SigningKey
from enrol.httpsig.digest import content_digest_value, digest_value
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.structured import Item

STET_COVERED: Final = ("(request-target)", "digest", "x-request-id")
"""What the registration of a client must cover."""

RESPONSE_COVERED: Final = ("digest", "date", "content-type", "x-request-id", "(request-target)")
"""What BPCE covers in responses; method and target are those of the request."""

COMPONENTS: Final = ("@method", "@authority", "@path", "content-digest", "x-request-id")
"""What a registration signed by RFC 9421 must cover; add ``@query`` when there is a query."""

Fields = tuple[tuple[str, str], ...]


def digest_field(body: bytes, algorithm: str = "SHA-256") -> tuple[str, str]:
    """Return the `Digest` field of a body; `algorithm` is SHA-256 or SHA-512."""
    return "Digest", digest_value(body, algorithm)


def content_digest_field(body: bytes, algorithm: str = "sha-256") -> tuple[str, str]:
    """Return the `Content-Digest` field of a body; `algorithm` is sha-256 or sha-512."""
    return "Content-Digest", content_digest_value(body, algorithm)


def sign(
    message: HttpMessage,
    *,
    key: SigningKey,
    keyid: str,
    covered: Sequence[str] = STET_COVERED,
    algorithm_label: str | None = "rsa-sha256",
    created: int | None = None,
    expires: int | None = None,
) -> Fields:
    """Return the `Signature` field of draft-cavage to add to a message.

    A label of the draft must agree with the key; another one is written as it is. `created` and
    `expires` are seconds since the epoch, signed when ``(created)`` and ``(expires)`` are covered.
    Raises what the verifier would raise.
    """
    names = covered_names(" ".join(covered))
    if algorithm_label in LABELS:
        check_label(algorithm_label, names, key.primitive, {})
    unsigned = SignatureParameters(keyid, algorithm_label, names, b"", created, expires)
    signature = key.sign(signing_string(message, unsigned))
    signed = SignatureParameters(keyid, algorithm_label, names, signature, created, expires)
    return (("Signature", serialize(signed)),)


def sign_rfc9421(
    message: HttpMessage,
    *,
    key: SigningKey,
    keyid: str,
    created: int,
    covered: Sequence[str | Component] = COMPONENTS,
    expires: int | None = None,
    nonce: str | None = None,
    tag: str | None = None,
    label: str = "sig1",
    source: ComponentSource | None = None,
) -> Fields:
    """Return the `Signature-Input` and `Signature` fields of RFC 9421 to add to a message.

    `source` says what the message does not: the public authority and scheme, or what a response
    answers. Raises `SignatureError` with M-CMP, M-ALG or M-PAR, `SignatureSyntaxError` with
    M-LBL.
    """
    components = tuple([_component(each) for each in covered])
    key = key.for_rfc9421()
    algorithm = message_algorithm(key.primitive)
    parameters = rfc9421.signature_input(
        components,
        (
            ("created", created),
            ("expires", expires),
            ("keyid", keyid),
            ("alg", algorithm),
            ("nonce", nonce),
            ("tag", tag),
        ),
    )
    base = rfc9421.signature_base(source or ComponentSource(message), components, parameters)
    values = rfc9421.serialize(label, parameters, key.sign(base))
    return tuple(zip(("Signature-Input", "Signature"), values, strict=True))


def _component(covered: str | Component) -> Component:
    component = Component(covered) if isinstance(covered, str) else covered
    return read_component(Item(component.name, component.parameters))
