"""What verifying a signed registration costs beside the bare RSA verification in it.

Run: python bench/httpsig.py
"""

import base64
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from enrol import httpsig

ROUNDS, CALLS = 15, 2000


def registration(private_key: rsa.RSAPrivateKey) -> httpsig.HttpMessage:
    """Return the POST that the one public client of BPCE sends, with a body of 4 KB."""
    jwk = {"kid": "1", "x5c": [base64.b64encode(os.urandom(2700)).decode()]}
    body = json.dumps({"client_name": "TPP", "jwks": {"keys": [jwk]}}).encode()
    body += b" " * (4096 - len(body))
    fields = [
        (b"Host", b"www.rs-ex-ath-groupe.caisse-epargne.example"),
        (b"Authorization", b"Bearer " + b"a" * 64),
        (b"Content-Type", b"application/json"),
        (b"Accept", b"application/json"),
        (b"Content-Length", b"4096"),
        (b"User-Agent", b"ReactorNetty/0.9.4"),
        (b"X-Request-ID", b"6ae7ff0a-4aaf-4c4a-9b5a-2a6aef4b5a1b"),
        (b"Digest", httpsig.digest_value(body).encode()),
    ]
    message = httpsig.HttpMessage.of("POST", b"/stet/setting/v1/register", fields, body)
    keyid = "https://tpp.example/certs/" + ":".join(["ab"] * 20) + ".pem"
    ((name, value),) = httpsig.sign(message, key=httpsig.signing_key(private_key), keyid=keyid)
    fields.append((name.encode(), value.encode()))
    return httpsig.HttpMessage.of("POST", message.target, fields, body)


def best(call: Callable[[], object], calls: int = CALLS) -> float:
    """Return the microseconds of the fastest round, per call."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - start) / calls)
    return min(times) * 1e6


def verification() -> None:
    """Print what the whole costs and what its parts do."""
    private_key = rsa.generate_private_key(65537, 2048)
    public_key = private_key.public_key()
    message = registration(private_key)
    key = httpsig.verification_key(public_key)
    at = datetime.now(UTC)
    parsed = httpsig.parse_signature(message)
    assert isinstance(parsed, httpsig.SignatureParameters)
    signed = httpsig.signing_string(message, parsed)
    fields, body, target = message.fields, message.body, message.target

    def whole(subject: httpsig.HttpMessage) -> None:
        read = httpsig.parse_signature(subject)
        httpsig.verify_signature(subject, read, key, at=at)

    def bare() -> None:
        public_key.verify(parsed.signature, signed, padding.PKCS1v15(), SHA256())

    reference = best(bare)
    rows = [
        ("bare RSA-2048 verification (cryptography)", reference),
        ("parse, coverage, label, times, digest, verification", best(lambda: whole(message))),
        (
            "the same, HttpMessage made too",
            best(lambda: whole(httpsig.HttpMessage("POST", target, fields, body))),
        ),
        ("  HttpMessage", best(lambda: httpsig.HttpMessage("POST", target, fields, body))),
        ("  check_hygiene", best(lambda: httpsig.check_hygiene(message))),
        ("  parse_signature, check_hygiene in it", best(lambda: httpsig.parse_signature(message))),
        ("  verify_digest", best(lambda: httpsig.verify_digest(message, required=True))),
        ("  signing_string", best(lambda: httpsig.signing_string(message, parsed))),
    ]
    print(f"{'':<52} {'µs':>7} {'× bare':>7}")
    for name, cost in rows:
        print(f"{name:<52} {cost:7.2f} {cost / reference:7.2f}")


def adversarial() -> None:
    """Print how parsing grows with the length of hostile fields."""
    units = {
        "escapes in an open quote": (b'keyId="', b'\\"', b""),
        "unknown parameters": (b"", b"a%d=b,", b"z=1"),
        "blanks": (b"keyId", b" ", b"x"),
        "one long name": (b"", b"a", b""),
        "names in headers": (b'keyId="a",signature="YQ==",headers="', b"x%d ", b'x"'),
        "commas": (b"", b",", b""),
    }
    print(f"\n{'µs to refuse or read a Signature of':<36}{'4 KB':>9}{'8 KB':>9}{'ratio':>7}")
    for name, unit in units.items():
        short, long = fill(unit, 4080), fill(unit, 8160)
        small, large = best(lambda m=short: attempt(m), 50), best(lambda m=long: attempt(m), 50)
        print(f"{name:<36}{small:9.1f}{large:9.1f}{large / small:7.2f}")


def fill(unit: tuple[bytes, bytes, bytes], length: int) -> httpsig.HttpMessage:
    """Return a message whose Signature repeats a unit up to a length."""
    head, repeated, tail = unit
    value, count = head, 0
    while len(value) < length - len(tail) - 8:
        value += repeated % count if b"%d" in repeated else repeated
        count += 1
    fields = ((b"host", b"a"), (b"signature", value + tail))
    return httpsig.HttpMessage("POST", b"/", fields, b"")


def attempt(message: httpsig.HttpMessage) -> None:
    """Read a signature and let every refusal pass."""
    with suppress(httpsig.SignatureError, httpsig.SignatureSyntaxError):
        httpsig.parse_signature(message)


if __name__ == "__main__":
    verification()
    adversarial()
