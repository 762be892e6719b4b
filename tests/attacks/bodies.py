"""Bodies that a JSON reader should not believe: depth, numbers, encodings, types, numbers of."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

from attacks.signatures import b64
from live.party import Draft

Document = dict[str, Any]

_LARGEST_BODY = 262_144


def as_json(document: Document) -> bytes:
    """Return the compact text of a document."""
    return json.dumps(document, separators=(",", ":")).encode()


def nested(document: Document, text: str) -> bytes:
    """AC-140."""
    if text == "depth 33 inside unknown member":
        return as_json(document)[:-1] + b',"x":' + b"[" * 33 + b"]" * 33 + b"}"
    opened = text.split("'")[1].encode() * 100_000
    return opened[:_LARGEST_BODY]  # else it is the length that is refused


NUMBERS = {"9×5000": "9" * 5000, "9×4300": "9" * 4300}
"""AC-141: the texts that the file abbreviates."""


def encoded(document: Document, text: str) -> bytes:
    """AC-143."""
    plain = as_json(document)
    name = document["client_name"].encode()
    inside = {
        "\\xff": b"\xff",
        "\\xc0\\xaf": b"\xc0\xaf",
        "client_name \\ud800": b"\\ud800",
        "CESU-8": b"\xed\xa0\xbd\xed\xb8\x80",
    }
    if text in inside:
        return plain.replace(name, inside[text])
    return {
        "utf-16 body": plain.decode().encode("utf-16"),
        "utf-32-be body": plain.decode().encode("utf-32-be"),
        "BOM + JSON": b"\xef\xbb\xbf" + plain,
    }[text]


def confused(document: Document, text: str) -> None:
    """AC-150: give a member another type than its own."""
    certificate = document["jwks"]["keys"][0]["x5c"][0]
    values: dict[str, Any] = {
        "redirect_uris=string": "https://tpp.test/cb",
        "redirect_uris={}": {},
        "redirect_uris=[[…]]": [["https://tpp.test/cb"]],
        "redirect_uris=[null]": [None],
        "redirect_uris=[1]": [1],
        "client_name=1": 1,
        "client_name=[]": [],
        "client_name=null": None,
        "grant_types='authorization_code'": "authorization_code",
        "scope=['aisp']": ["aisp"],
        "contacts='x'": "x",
        "contact='x'": "x",
        "jwks='x'": "x",
        "jwks={}": {},
        "jwks={keys:{}}": {"keys": {}},
        "jwks={keys:[null]}": {"keys": [None]},
        "x5c='str'": certificate,
        "x5c=[1]": [1],
        "provider_legal_id={}": {},
        "logo=5": 5,
    }
    member = text.partition("=")[0]
    place = document["jwks"]["keys"][0] if member == "x5c" else document
    place[member] = values[text]


def crowded(document: Document, text: str) -> None:
    """AC-151: give a member more than anybody needs."""
    key = document["jwks"]["keys"][0]
    many: dict[str, Callable[[], object]] = {
        "10 000 redirect_uris": lambda: document.update(
            redirect_uris=[f"https://tpp.test/{i}" for i in range(10_000)]
        ),
        "client_name 100 kB": lambda: document.update(client_name="A" * 100_000),
        "5 000 unknown members": lambda: document.update({f"x{i}": 1 for i in range(5000)}),
        "1 000 contacts": lambda: document.update(contacts=[f"a{i}@tpp.test" for i in range(1000)]),
        "1 000 keys": lambda: document.update(
            jwks={"keys": [key, *({"kty": "RSA", "kid": f"k{i}"} for i in range(999))]}
        ),
        "x5c with 500 certs": lambda: key.update(x5c=[key["x5c"][0], *[b64(bytes(200))] * 499]),
        "500 client_name#xx tags": lambda: document.update(
            {f"client_name#l{i}": "Acme" for i in range(500)}
        ),
        "logo 200 kB base64": lambda: document.update(logo=b64(bytes(150_000))),
    }
    many[text]()


def compressed(text: str) -> tuple[str, bytes]:
    """AC-148: return Content-Encoding and a body that is no such thing, or a bomb."""
    if text == "gzip bomb":
        return "gzip", gzip.compress(bytes(100_000_000))
    if text == "gzip, gzip ×50":
        return ", ".join(["gzip"] * 50), gzip.compress(gzip.compress(b"{}"))
    return text, b"{}"


def emptied(text: str) -> tuple[bytes, list[Callable[[Draft], object]]]:
    """AC-145: return a body without content, and what the head says of it."""
    match text:
        case "chunked empty":
            return b"", [
                lambda draft: draft.set("Content-Length", None),
                lambda draft: draft.set("Transfer-Encoding", "chunked"),
                lambda draft: setattr(draft, "body", b"0\r\n\r\n"),
            ]
        case "CL:0":
            return b"", [lambda draft: draft.set("Content-Length", "0")]
        case "":
            return b"", [lambda draft: draft.set("Content-Length", None)]
        case _:
            return text.encode(), []


def software_statement(url: str) -> str:
    """AC-175: return a statement that says whose it is, and where its key is, by a URL."""
    parts = ({"alg": "RS256", "jku": url}, {"iss": url, "software_id": "x"})
    texts = [base64.urlsafe_b64encode(as_json(part)).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, "c2ln"])
