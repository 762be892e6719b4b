"""The mistakes clients make in the fingerprint of a keyId."""

import re
from collections.abc import Iterator
from hashlib import sha1, sha256
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enrol.httpsig.explain.report import GivenKey, Mistake

_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]{40,64}")
_SENTENCES: Final = {
    "pem-file-hash": "The fingerprint in keyId is that of the certificate's PEM file as it is, "
    "which a bank that has the certificate alone cannot know: hash the DER.",
    "fingerprint-upper-case": "The fingerprint in keyId is right and in upper case: write it in "
    "lower case.",
    "fingerprint-without-underscore": "The fingerprint in keyId is right and not where it is looked"
    " for: end the URL with _ and the 64 digits.",
    "fingerprint-of-key": "The fingerprint in keyId is that of the public key: hash the "
    "certificate.",
    "fingerprint-sha1": "The fingerprint in keyId is the SHA-1 of the certificate: use SHA-256.",
}


def fingerprint_mistakes(keyid: str, given: GivenKey) -> Iterator[Mistake]:
    """Yield what a fingerprint is that does not name the certificate given."""
    der = given.certificate
    if der is None:
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for match in _HEXADECIMAL.finditer(keyid):
        stated = match.group()
        if given.file is not None and stated.lower() == sha256(given.file).hexdigest():
            yield _mistake("pem-file-hash" if given.file != der else "fingerprint-upper-case")
        elif stated.lower() == sha256(der).hexdigest():
            is_lower = stated == stated.lower()
            yield _mistake(
                "fingerprint-without-underscore" if is_lower else "fingerprint-upper-case"
            )
        elif stated.lower() == sha256(given.public_key.public_bytes(*form)).hexdigest():
            yield _mistake("fingerprint-of-key")
        elif stated.lower() == sha1(der, usedforsecurity=False).hexdigest():
            yield _mistake("fingerprint-sha1")


def _mistake(name: str) -> Mistake:
    return Mistake(name, _SENTENCES[name])
