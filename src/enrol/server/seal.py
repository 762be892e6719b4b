"""The bank's seal on its answers: Digest and Signature, as BPCE sends them (draft-cavage-12)."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from enrol.errors import ConfigurationError, SignatureError
from enrol.httpsig.algorithm import usual_label
from enrol.httpsig.crypto import SigningKey, signing_key
from enrol.httpsig.digest import digest_value
from enrol.httpsig.errors import HygieneError
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.sign import RESPONSE_COVERED, sign
from enrol.server.answer import Answer


@dataclass(frozen=True, slots=True)
class BankSeal:
    """The key that answers are signed with, and the keyId that names it."""

    key: SigningKey = field(repr=False)
    keyid: str


@dataclass(frozen=True, slots=True)
class Sealing:
    """Signs the answers given at a path and below it, and leaves all others as they are."""

    seal: BankSeal
    path: bytes

    async def finish(self, answer: Answer, request: HttpMessage) -> Answer:
        """Return the answer to `request` signed; of the request its method and target count.

        The fields covered are those of `RESPONSE_COVERED` that the answer has. The arithmetic is
        done in a thread, so that other requests go on meanwhile.
        """
        if not self._covers(request.target):
            return answer
        fields = (*answer.fields, (b"digest", digest_value(answer.body).encode("ascii")))
        message = HttpMessage(request.method, request.target, fields, answer.body)
        try:
            signature = await asyncio.to_thread(self._sign, message)
        except HygieneError:  # a target beyond ASCII, which was refused and cannot be signed
            return answer
        return Answer(answer.status, (*fields, signature), answer.body)

    def _covers(self, target: bytes) -> bool:
        path = target.partition(b"?")[0]
        return path == self.path or path.startswith(self.path + b"/")

    def _sign(self, message: HttpMessage) -> tuple[bytes, bytes]:
        covered = [
            name for name in RESPONSE_COVERED if name[0] == "(" or message.has(name.encode())
        ]
        ((name, value),) = sign(
            message,
            key=self.seal.key,
            keyid=self.seal.keyid,
            covered=covered,
            algorithm_label=usual_label(self.seal.key.primitive),
        )
        return name.lower().encode("ascii"), value.encode("ascii")


def read_seal(certificate: Path, key: Path, *, keyid: str | None = None) -> BankSeal:
    """Return the seal in two PEM files; `keyid` is the decimal serial number by default.

    Raises `ConfigurationError`.
    """
    try:
        sealing = load_pem_x509_certificates(certificate.read_bytes())[0]
        private_key = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ConfigurationError(
            "seal_unreadable",
            f"signatures: {certificate} and {key} are not a PEM certificate and its unencrypted"
            " PEM key",
        ) from exc
    if sealing.public_key() != private_key.public_key():
        raise ConfigurationError(
            "seal_mismatch", f"signatures: {key} is not the key of the certificate {certificate}"
        )
    try:
        return BankSeal(signing_key(private_key), keyid or str(sealing.serial_number))
    except SignatureError as exc:
        raise ConfigurationError(
            "seal_key_weak",
            f"signatures: {key} cannot sign answers; RSA of 2048 to 8192 bits, P-256, P-384, P-521"
            " and Ed25519 can",
        ) from exc
