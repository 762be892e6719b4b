"""What verifying a signed registration costs beside the bare RSA verification in it.

Run: python bench/httpsig.py
"""

import base64
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from statistics import median

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from enrol import httpsig

ROUNDS, CALLS = 15, 2000
HOSTILE_FIELDS = 100_000
LIMIT = 1.5
"""How many bare verifications the whole may cost."""

BARE = "bare RSA-2048 verification (cryptography)"
WHOLE = "parse, coverage, label, times, digest, verification"
HOSTILE = {
    "escapes in an open quote": (b'keyId="', b'\\"', b""),
    "unknown parameters": (b"", b"a%d=b,", b"z=1"),
    "blanks": (b"keyId", b" ", b"x"),
    "one long name": (b"", b"a", b""),
    "names in headers": (b'keyId="a",signature="YQ==",headers="', b"x%d ", b'x"'),
    "commas": (b"", b",", b""),
}
"""Of each kind: how the field begins, what is repeated up to its length, how it ends."""


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


def interleaved(
    calls: Mapping[str, Callable[[], object]], *, repeat: int = CALLS
) -> dict[str, list[float]]:
    """Return the microseconds of CPU a call takes, round by round, each round trying all."""
    costs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.process_time()
            for _ in range(repeat):
                call()
            costs[name].append((time.process_time() - start) / repeat * 1e6)
    return costs


def ratio(costs: Sequence[float], reference: Sequence[float]) -> float:
    """Return the median of the ratios of each round."""
    return median([cost / other for cost, other in zip(costs, reference, strict=True)])


def verification() -> float:
    """Print what the whole costs and what its parts do; return the whole in bare verifications."""
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

    calls: dict[str, Callable[[], object]] = {
        BARE: lambda: public_key.verify(parsed.signature, signed, padding.PKCS1v15(), SHA256()),
        WHOLE: lambda: whole(message),
        "the same, HttpMessage made too": lambda: whole(
            httpsig.HttpMessage("POST", target, fields, body)
        ),
        "  HttpMessage": lambda: httpsig.HttpMessage("POST", target, fields, body),
        "  check_hygiene": lambda: httpsig.check_hygiene(message),
        "  parse_signature, check_hygiene in it": lambda: httpsig.parse_signature(message),
        "  verify_digest": lambda: httpsig.verify_digest(message, required=True),
        "  signing_string": lambda: httpsig.signing_string(message, parsed),
        "  VerificationKey.verify": lambda: key.verify(parsed.signature, signed),
    }
    costs = interleaved(calls)
    print(f"{'':<52} {'µs':>7} {'× bare':>7}")
    for name, cost in costs.items():
        print(f"{name:<52} {median(cost):7.2f} {ratio(cost, costs[BARE]):7.2f}")
    return ratio(costs[WHOLE], costs[BARE])


def adversarial() -> None:
    """Print how reading grows with the length of hostile fields: twice the length, twice the time.

    100 000 fields a kind, half of them of 4 KB and half of 8 KB.
    """
    print(f"\n{'µs to refuse or read a Signature of':<36}{'4 KB':>9}{'8 KB':>9}{'ratio':>7}")
    for name, unit in HOSTILE.items():
        short, long = fill(unit, 4080), fill(unit, 8160)
        costs = interleaved(
            {"short": lambda m=short: attempt(m), "long": lambda m=long: attempt(m)},
            repeat=HOSTILE_FIELDS // (2 * ROUNDS),
        )
        small, large = median(costs["short"]), median(costs["long"])
        growth = ratio(costs["long"], costs["short"])
        print(f"{name:<36}{small:9.1f}{large:9.1f}{growth:7.2f}")


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
    cost = verification()
    adversarial()
    if cost > LIMIT:
        sys.exit(f"verification costs {cost:.2f} bare verifications, more than {LIMIT}")
