"""Operations on members of the metadata: redirection URIs, keys, names, scopes."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from attacks.attempt import Attempt
from attacks.signatures import b64
from attacks.wire import Outcome

Operation = dict[str, Any]
Key = dict[str, Any]

TEXTS = {
    "a + 50×\\u0301": "a" + "\u0301" * 50,
    "256+ chars": "a" * 257,
    "a×50 000 + '!'": "a" * 50_000 + "!",
}
"""AC-203 and AC-206: the texts that the file abbreviates."""

_P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1


def redirect_uri(attempt: Attempt, operation: Operation) -> None:
    """The URI alone, and after a good one."""
    value = attempt.fill(operation["value"])
    alone, second = copy.deepcopy(attempt.document), copy.deepcopy(attempt.document)
    alone["redirect_uris"] = [value]
    second["redirect_uris"].append(value)
    attempt.act = lambda: send_each(attempt, alone, second)


def send_each(attempt: Attempt, *documents: dict[str, Any]) -> list[Outcome]:
    """Send a request for each document."""
    outcomes = []
    for document in documents:
        attempt.document = document
        outcomes.append(attempt.send(attempt.compose().to_bytes()))
    return outcomes


def json_del(attempt: Attempt, operation: Operation) -> None:
    """By A, who has every role, and by C, who has one."""
    member = operation["ptr"][1:]

    def act() -> list[Outcome]:
        outcomes = []
        for party in (attempt.bank.a, attempt.bank.parties["C"]):
            attempt.sender, attempt.identity = party, party.qwac
            attempt.document = party.metadata()
            del attempt.document[member]
            outcomes.append(attempt.send(attempt.compose().to_bytes()))
        return outcomes

    attempt.act = act


def added(attempt: Attempt, members: dict[str, Any]) -> dict[str, Any]:
    """Return the members an operation adds; the variant may be a name, or ``name=false``."""
    if "$v" not in members:
        return members
    name, equals, _ = attempt.attack.text.partition("=")
    return {name: False if equals else attempt.bank.b.organization}


# Keys


def jwk_add(attempt: Attempt, operation: Operation) -> None:
    attempt.document["jwks"]["keys"].append(operation["value"])


def jwk(attempt: Attempt, operation: Operation) -> None:
    """The first key is bent; a key that has no certificate comes second, after a good one."""
    key = attempt.document["jwks"]["keys"][0]
    match attempt.attack.name:
        case "AC-181" | "AC-183":
            wrong = (_rsa if attempt.attack.name == "AC-181" else _ec)(attempt.attack.text)
            bent, beside = copy.deepcopy(attempt.document), copy.deepcopy(attempt.document)
            bent["jwks"]["keys"][0].update(wrong)
            bent["jwks"]["keys"][0].pop("alg")
            beside["jwks"]["keys"].append(wrong)
            attempt.act = lambda: send_each(attempt, bent, beside)
        case "AC-185":
            key.update(numbers_of(rsa.generate_private_key(65537, 2048).public_key()))
        case "AC-186":
            key.update(_thumbprint(attempt))
        case "AC-190":
            key.update(_contradiction(attempt.attack.text))
        case "AC-191":
            key["n"] = _written(attempt.sender.qsealc.key.public_key(), attempt.attack.text)
        case _:
            key.update(operation["value"])


def base64url_of(octets: bytes) -> str:
    """Return base64url without padding."""
    return b64(octets).rstrip("=").replace("+", "-").replace("/", "_")


def base64url(number: int, size: int = 0) -> str:
    """Return the base64url of a number, of `size` octets at least."""
    return base64url_of(number.to_bytes(max(size, (number.bit_length() + 7) // 8, 1), "big"))


def numbers_of(key: Any) -> Key:
    """Return an RSA key as a JWK."""
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": base64url(numbers.n), "e": base64url(numbers.e)}


def _rsa(text: str) -> Key:
    """AC-181: return an RSA key that nobody should take."""
    good = rsa.generate_private_key(65537, 2048).public_key()
    n = good.public_numbers().n
    sizes = {"1024": 1024, "2047": 2047, "2056": 2056, "16384": 16_384, "1 Mbit n": 1_000_000}
    exponents = {"e=1": 1, "e=2": 2, "e=3": 3, "e=2^31+1": 2**31 + 1}
    moduli = {"n even": n - 1, "n=0": 0, "negative": 2 ** (n.bit_length() + 8) - n}
    if text in sizes:
        n = 2 ** (sizes[text] - 1) + 1
    return numbers_of(good) | {
        "n": base64url(moduli.get(text, n)),
        "e": base64url(exponents.get(text, 65537)),
    }


def _ec(text: str) -> Key:
    """AC-183: return a key that is no point of a curve anybody should use."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = base64url(point.x, 32), base64url(point.y, 32)
    parts: dict[str, Key] = {
        "off_curve": {"y": base64url(point.y ^ 1, 32)},
        "infinity": {"x": base64url(0, 32), "y": base64url(0, 32)},
        "x>=p": {"x": base64url(_P256 + 5, 32)},
        "31-byte x": {"x": base64url(point.x >> 8, 31)},
        "33-byte x": {"x": base64url(point.x, 33)},
    }
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y} | parts.get(text, {"crv": text})


def _thumbprint(attempt: Attempt) -> Key:
    """AC-186: return a thumbprint of another certificate, or in another form."""
    own, other = attempt.sender.qsealc.der, attempt.bank.b.qsealc.der
    digest = hashlib.sha256(own).digest()
    return {
        "x5t#S256 of B": {"x5t#S256": base64url_of(hashlib.sha256(other).digest())},
        "x5t#S256 hex": {"x5t#S256": digest.hex()},
        "x5t#S256 with padding": {"x5t#S256": base64url_of(digest) + "="},
        "x5t of B": {"x5t": base64url_of(hashlib.sha1(other).digest())},
    }[attempt.attack.text]


def _contradiction(text: str) -> Key:
    """AC-190: return what a key says of its use against itself."""
    return {
        "use=enc": {"use": "enc"},
        "key_ops=['sign']": {"key_ops": ["sign"]},
        "alg=none": {"alg": "none"},
        "alg=HS256": {"alg": "HS256"},
        "alg=RS1": {"alg": "RS1"},
        "alg=ES256 with RSA": {"alg": "ES256"},
        "use=sig + key_ops=['encrypt']": {"use": "sig", "key_ops": ["encrypt"]},
    }[text]


def _written(key: Any, text: str) -> str:
    """AC-191: return the modulus that is the certificate's, written otherwise."""
    n = key.public_numbers().n
    good = base64url(n)
    forms: dict[str, Callable[[], str]] = {
        "padded": lambda: good + "=" * (-len(good) % 4 or 4),
        "spaces": lambda: f"{good[:20]} {good[20:]}",
        "+/": lambda: good.replace("-", "+").replace("_", "/"),
        "leading 00": lambda: base64url(n, n.bit_length() // 8 + 1),
    }
    written = forms[text]()
    assert written != good
    return written
