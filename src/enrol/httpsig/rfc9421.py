"""RFC 9421: reading `Signature-Input` and `Signature`, building the signature base."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from enrol.httpsig.carrier import MAXIMUM_LENGTH, check_carrier
from enrol.httpsig.components import Component, ComponentSource, read_component
from enrol.httpsig.errors import HygieneError, SignatureError, SignatureSyntaxError
from enrol.httpsig.message import HttpMessage, check_hygiene
from enrol.httpsig.structured import (
    BareItem,
    Dictionary,
    InnerList,
    Item,
    Parameters,
    StructuredFieldError,
    is_key,
    parse_dictionary,
    serialize_bare_item,
    serialize_inner_list,
)

_TYPES: Final[dict[str, type]] = {
    "created": int,
    "expires": int,
    "keyid": str,
    "alg": str,
    "nonce": str,
    "tag": str,
}


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """The one signature of a message; nothing of it is verified.

    `signature_params` is the value of ``@signature-params``, serialized anew from what was read.
    `created` and `expires` are seconds since the epoch.
    """

    label: str
    unverified_keyid: str
    algorithm: str | None
    components: tuple[Component, ...]
    signature: bytes
    signature_params: str
    created: int | None
    expires: int | None


def parse_signature(message: HttpMessage) -> MessageSignature:
    """Read the one signature of a message.

    1. the message is unambiguous (`check_hygiene`);
    2. both fields are dictionaries, of inner lists and of byte sequences (M-CAR);
    3. there is one label, the same in both (M-LBL);
    4. parameters and components are known and of their types (M-PAR, M-CMP).

    Raises `SignatureSyntaxError` (M-CAR, M-LBL), `HygieneError`, `SignatureError` (M-PAR, M-CMP).
    """
    if any(name.startswith(b"@") for name, _ in message.fields):
        raise SignatureError("M-CMP")  # a field that looks like a derived component is no source
    check_hygiene(message)  # (1)
    return read_signature(message)


def read_signature(message: HttpMessage) -> MessageSignature:
    """Read the signature of a message that is unambiguous: steps 2 to 4 of `parse_signature`."""
    check_carrier(message)
    inputs = _dictionary(message, b"signature-input")  # (2)
    signatures = _dictionary(message, b"signature")
    lists = [(label, member) for label, member in inputs if isinstance(member, InnerList)]
    octets = [
        (label, member.value)
        for label, member in signatures
        if isinstance(member, Item) and isinstance(member.value, bytes) and not member.parameters
    ]
    if not lists or not octets or len(lists) < len(inputs) or len(octets) < len(signatures):
        raise SignatureSyntaxError("M-CAR")
    (label, covered), (signed_label, signature) = lists[0], octets[0]  # (3)
    if len(lists) > 1 or len(octets) > 1 or label != signed_label:
        raise SignatureSyntaxError("M-LBL")
    return _signature(label, covered, signature)  # (4)


def signature_base(
    source: ComponentSource, components: Sequence[Component], signature_params: str
) -> bytes:
    """Build the signature base (RFC 9421 §2.5).

    Raises `SignatureError` with M-CMP for a component without value, `HygieneError` with STR-8.
    """
    lines = [f"{component}: ".encode() + source.value(component) for component in components]
    lines.append(f'"@signature-params": {signature_params}'.encode())
    base = b"\n".join(lines)
    if not base.isascii():
        raise HygieneError("STR-8")
    return base


def signature_input(
    components: Sequence[Component], parameters: Sequence[tuple[str, BareItem | None]]
) -> str:
    """Return the text of ``@signature-params``; parameters that are None are left out.

    Raises `SignatureError` with M-PAR for a text no string can hold.
    """
    given: list[tuple[str, BareItem]] = []
    for name, value in parameters:
        if isinstance(value, str) and not (value.isascii() and value.isprintable()):
            raise SignatureError("M-PAR")
        if value is not None:
            given.append((name, value))
    items = tuple([Item(component.name, component.parameters) for component in components])
    return serialize_inner_list(InnerList(items, tuple(given)))


def serialize(label: str, signature_params: str, signature: bytes) -> tuple[str, str]:
    """Return the values of `Signature-Input` and `Signature`.

    Raises `SignatureSyntaxError` with M-LBL for a label that is no key of a dictionary.
    """
    if not is_key(label):
        raise SignatureSyntaxError("M-LBL")
    return f"{label}={signature_params}", f"{label}={serialize_bare_item(signature)}"


def _dictionary(message: HttpMessage, name: bytes) -> Dictionary:
    value = message.combined(name)
    if value is None:
        raise SignatureSyntaxError("M-CAR")
    if len(value) > MAXIMUM_LENGTH:
        raise SignatureSyntaxError("CAR-5")
    try:
        return parse_dictionary(value)
    except StructuredFieldError:
        raise SignatureSyntaxError("M-CAR") from None


def _signature(label: str, covered: InnerList, signature: bytes) -> MessageSignature:
    parameters = _typed(covered.parameters)
    components = tuple([read_component(item) for item in covered.items])
    if len({(c.name, frozenset(c.parameters)) for c in components}) != len(components):
        raise SignatureError("M-CMP")
    return MessageSignature(
        label=label,
        unverified_keyid=_text(parameters, "keyid") or _missing(),
        algorithm=_text(parameters, "alg"),
        components=components,
        signature=signature,
        signature_params=serialize_inner_list(covered),
        created=_seconds(parameters, "created"),
        expires=_seconds(parameters, "expires"),
    )


def _typed(parameters: Parameters) -> dict[str, BareItem]:
    """Return the parameters by name; each is known, once, and of its type (M-PAR)."""
    by_name = dict(parameters)
    if len(by_name) != len(parameters):
        raise SignatureError("M-PAR")
    for name, value in parameters:
        if name not in _TYPES or type(value) is not _TYPES[name]:
            raise SignatureError("M-PAR")
    return by_name


def _text(parameters: dict[str, BareItem], name: str) -> str | None:
    value = parameters.get(name)
    return value if isinstance(value, str) else None


def _seconds(parameters: dict[str, BareItem], name: str) -> int | None:
    value = parameters.get(name)
    return value if isinstance(value, int) else None


def _missing() -> str:
    raise SignatureError("M-PAR")
