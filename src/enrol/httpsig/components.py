"""Message components: what RFC 9421 §2 can cover, and the value each has in a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from enrol.httpsig.errors import SignatureError
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.octets import encode_base64
from enrol.httpsig.structured import (
    InnerList,
    Item,
    Parameters,
    StructuredFieldError,
    parse_dictionary,
    serialize_item,
    serialize_member,
)

_DERIVED: Final = frozenset(
    {
        "@authority",
        "@method",
        "@path",
        "@query",
        "@query-param",
        "@request-target",
        "@scheme",
        "@status",
        "@target-uri",
    }
)
_LOWER_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_UNENCODED: Final = frozenset(b"*-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DICTIONARIES: Final = frozenset(
    {
        "accept-signature",
        "cache-status",
        "content-digest",
        "priority",
        "repr-digest",
        "signature",
        "signature-input",
        "want-content-digest",
        "want-repr-digest",
    }
)
"""Fields known to be dictionaries, the only ones whose strict serialization is offered (;sf)."""

_PORTS: Final = {"https": b":443", "http": b":80"}


@dataclass(frozen=True, slots=True)
class Component:
    """A component identifier: a field or derived name, with its parameters in order."""

    name: str
    parameters: Parameters = ()

    def __str__(self) -> str:
        return serialize_item(Item(self.name, self.parameters))


@dataclass(frozen=True, slots=True)
class ComponentSource:
    """Where the values of components come from.

    `authority` is the public host, with its port if not the usual one, or None for that of Host.
    For a response, `status` is its status code, and `request` is what it answers.
    """

    message: HttpMessage
    authority: str | None = None
    scheme: str = "https"
    status: int | None = None
    request: HttpMessage | None = None

    def value(self, component: Component) -> bytes:
        """Return the value of a component; `SignatureError` with M-CMP when it has none."""
        parameters = dict(component.parameters)
        message = self.message
        if parameters.pop("req", False):
            if self.request is None:
                raise SignatureError("M-CMP")
            message = self.request
        elif component.name == "@status" and self.status is not None:
            return b"%d" % self.status
        elif component.name.startswith("@") and self.status is not None:
            raise SignatureError("M-CMP")
        if component.name.startswith("@"):
            return self._derived(message, component.name, parameters.get("name"))
        if parameters.get("bs"):
            return _wrapped(message.values(component.name.encode()))
        value = message.combined(component.name.encode())
        if value is None:
            raise SignatureError("M-CMP")
        if "key" in parameters or "sf" in parameters:
            return _dictionary_value(component.name, value, parameters.get("key"))
        return value

    def _derived(self, message: HttpMessage, name: str, parameter: object) -> bytes:
        path, _, query = message.target.partition(b"?")
        scheme = self.scheme.lower().encode()
        match name:
            case "@query-param":
                return _query_parameter(query.decode("latin-1"), parameter)
            case "@authority":
                return self._authority(message)
            case "@target-uri":
                return scheme + b"://" + self._authority(message) + message.target
        values = {
            "@method": message.method.encode(),
            "@scheme": scheme,
            "@request-target": message.target,
            "@path": path or b"/",
            "@query": b"?" + query,
        }
        if name not in values:
            raise SignatureError("M-CMP")
        return values[name]

    def _authority(self, message: HttpMessage) -> bytes:
        """Return host and port in lower case, without the usual port (RFC 9421 §2.2.3)."""
        authority = self.authority and self.authority.encode()
        if authority is None:
            authority = message.combined(b"host")
        if not authority:
            raise SignatureError("M-CMP")
        return authority.lower().removesuffix(_PORTS.get(self.scheme.lower(), b""))


def read_component(item: Item) -> Component:
    """Make a component of an item of the list covered; `SignatureError` with M-CMP if unknown."""
    name, parameters = item.value, dict(item.parameters)
    if not isinstance(name, str) or not name or len(parameters) != len(item.parameters):
        raise SignatureError("M-CMP")
    if parameters.pop("req", True) is not True:
        raise SignatureError("M-CMP")
    if name.startswith("@"):
        fits = name in _DERIVED
        if name == "@query-param":
            fits = isinstance(parameters.pop("name", None), str)
    else:
        fits = _LOWER_TOKEN.issuperset(name) and _field_parameters_fit(parameters)
        parameters = {}
    if not fits or parameters:
        raise SignatureError("M-CMP")
    return Component(name, item.parameters)


def _field_parameters_fit(parameters: Mapping[str, object]) -> bool:
    """Say whether parameters of a field are known and go together; trailers are not offered."""
    match parameters:
        case {"bs": True, **others}:
            return not others
        case {"key": str(), "sf": True, **others} | {"key": str(), **others}:
            return not others
        case {"sf": True, **others}:
            return not others
    return not parameters


def _wrapped(values: tuple[bytes, ...]) -> bytes:
    """Return each line as a byte sequence (RFC 9421 §2.1.3)."""
    if not values:
        raise SignatureError("M-CMP")
    lines = [encode_base64(value.strip(b" \t")) for value in values]
    return ", ".join([f":{line}:" for line in lines]).encode()


def _dictionary_value(name: str, value: bytes, key: object) -> bytes:
    """Return a dictionary field, or one member of it, in its strict form (RFC 9421 §2.1.1, .2)."""
    if key is None and name not in _DICTIONARIES:
        raise SignatureError("M-CMP")
    try:
        members = dict(parse_dictionary(value))
    except StructuredFieldError:
        raise SignatureError("M-CMP") from None
    if key is None:
        return ", ".join([_serialize(*member) for member in members.items()]).encode()
    for name_of_member, member in members.items():
        if name_of_member == key:
            return serialize_member(member).encode()
    raise SignatureError("M-CMP")


def _serialize(key: str, member: Item | InnerList) -> str:
    if isinstance(member, Item) and member.value is True:
        return key + serialize_item(member).removeprefix("?1")
    return f"{key}={serialize_member(member)}"


def _query_parameter(query: str, name: object) -> bytes:
    """Return the one value of a query parameter, encoded anew (RFC 9421 §2.2.8)."""
    found = [
        value for key, value in parse_qsl(query, keep_blank_values=True) if _encode(key) == name
    ]
    if len(found) != 1:
        raise SignatureError("M-CMP")
    return _encode(found[0]).encode()


def _encode(text: str) -> str:
    return "".join([chr(c) if c in _UNENCODED else f"%{c:02X}" for c in text.encode()])
