"""Mistakes in the digest of a body and in keyId, each found by its name."""

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enrol.httpsig import digest_value
from enrol.httpsig.explain import GivenKey, Verdict, explain_signature
from httpsig_cases import load, octets
from httpsig_messages import changed_field
from httpsig_signer import BOTH, broken, names_of, rfc9421_message, text_of

# Mistakes in the digest

DOCUMENT = {"scope": "aisp", "client_name": "Café/Co", "keys": [1, 2]}
BODIES = {
    "json-compact": lambda d: json.dumps(d, separators=(",", ":")).encode(),
    "json-spaced": lambda d: json.dumps(d).encode(),
    "json-indented": lambda d: json.dumps(d, indent=2).encode(),
    "json-sorted": lambda d: json.dumps(d, sort_keys=True, separators=(",", ":")).encode(),
    "line-end-of-body": lambda d: json.dumps(d, indent=1).encode() + b"\n",
    "empty-body": lambda d: b"",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_digest_of_another_body_is_found_by_name(registration, signer, at, name) -> None:
    hashed = BODIES[name](DOCUMENT)
    body = json.dumps(DOCUMENT, indent=1, ensure_ascii=False).encode()
    if name == "line-end-of-body":
        body = hashed.removesuffix(b"\n")
    message = replace(registration, body=body)
    message = changed_field(message, b"digest", digest_value(hashed).encode())
    report = signer.explained(signer.signed(message, text_of(message)), at)
    assert names_of(report) == {name}
    assert broken(report) == {"DIG-9"}


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_a_body_nested_deeply_is_explained_too(registration, signer, at, depth) -> None:
    message = replace(registration, body=b"[" * depth + b"]" * depth)
    report = signer.explained(signer.signed(message, text_of(message)), at)
    assert broken(report) == {"DIG-9"}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (lambda h: "SHA-256=" + h.hex(), "digest-hex"),
        (lambda h: "SHA-256=" + b64encode(h.hex().encode()).decode(), "digest-hex"),
        (lambda h: "SHA-256=" + b64encode(h).decode().rstrip("="), "digest-base64"),
        (lambda h: "SHA256=" + b64encode(h).decode(), "digest-name"),
    ],
    ids=["hexadecimal", "base64 of hexadecimal", "unpadded", "name without hyphen"],
)
def test_a_digest_that_is_miswritten(registration, signer, at, value, name) -> None:
    written = value(sha256(registration.body).digest()).encode()
    message = changed_field(registration, b"digest", written)
    report = signer.explained(signer.signed(message, text_of(message)), at)
    assert names_of(report) == {name}


def test_a_content_digest_of_another_body_is_found_by_name(registration, signer, at) -> None:
    message = rfc9421_message(registration, signer.key, at, lambda base: base)
    sent = replace(message, body=b'{"client_name": "TPP"}')
    report = signer.explained(sent, at, policy=BOTH)
    assert names_of(report) == {"json-compact"}
    assert broken(report) == {"M-CD-3"}


# Mistakes in keyId


@pytest.fixture
def qsealc() -> tuple[bytes, bytes]:
    """A certificate as PEM file with a preamble and as DER."""
    pem = load("keys")["keys"].get("tpp-qseal", {}).get("certificate_pem")
    if pem is None:
        pem = next(
            key["certificate_pem"]
            for key in load("keys").get("keys", {"": {"certificate_pem": ""}}).values()
            if key.get("certificate_pem")
        )
    der = octets({"body_b64": "".join(pem.split("-----")[2].split())})
    return b"subject=TPP\n" + pem.encode(), der


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (lambda file, der, spki: sha256(file).hexdigest(), "pem-file-hash"),
        (lambda file, der, spki: sha256(der).hexdigest().upper(), "fingerprint-upper-case"),
        (lambda file, der, spki: sha256(spki).hexdigest(), "fingerprint-of-key"),
    ],
)
def test_a_fingerprint_of_something_else(registration, signer, at, qsealc, written, name) -> None:
    file, der = qsealc
    public = signer.key.verification_key().public_key
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    url = "https://tpp.example/certs/qseal_" + written(file, der, spki)
    message = signer.signed(registration, text_of(registration), keyId=url)
    key = GivenKey(public, certificate=der, file=file, keyid=f"https://tpp.example/{'0' * 64}")
    report = explain_signature(message, key, at=at, refused_by="KEY-3")
    assert names_of(report) == {name}
    assert "KEY-3" in broken(report)


@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_the_fingerprint_of_der_and_of_the_usual_pem_both_hold(
    registration, signer, at, qsealc, form
) -> None:
    file, der = qsealc
    hashed = der if form == "DER" else file.partition(b"\n")[2]
    url = f"https://tpp.example/certs/qseal_{sha256(hashed).hexdigest()}"
    message = signer.signed(registration, text_of(registration), keyId=url)
    key = GivenKey(signer.key.verification_key().public_key, certificate=der, file=file)
    assert explain_signature(message, key, at=at).verdict is Verdict.HOLDS
