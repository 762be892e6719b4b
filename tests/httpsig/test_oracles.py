"""Both ways with implementations nobody here wrote, where they are installed."""

import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from enrol.httpsig import (
    COMPONENTS,
    STET,
    HttpMessage,
    Mode,
    Primitive,
    SignaturePolicy,
    SigningKey,
    content_digest_field,
    parse_signature,
    sign,
    sign_rfc9421,
    signing_string,
    verify_message,
)
from httpsig_messages import with_fields, without_field

ALGORITHMS = {
    Primitive.RSA_PKCS1V15_SHA256: "RSA_V1_5_SHA256",
    Primitive.RSA_PSS_SHA512: "RSA_PSS_SHA512",
    Primitive.ECDSA_P256_SHA256_RAW: "ECDSA_P256_SHA256",
    Primitive.ED25519: "ED25519",
}


@dataclass
class TheirRequest:
    """The request as the other library wants it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""


def theirs(message: HttpMessage) -> TheirRequest:
    headers = {name.decode(): value.decode() for name, value in message.fields}
    return TheirRequest(message.method, "https://api.bank.example/a?b=c", headers, message.body)


@dataclass
class Keys:
    key: SigningKey
    asked: list[str] = field(default_factory=list)

    def resolve_public_key(self, key_id: str):
        self.asked.append(key_id)
        return self.key.verification_key().public_key

    def resolve_private_key(self, key_id: str):
        return self.key.private_key


@pytest.fixture
def modern_request(registration: HttpMessage) -> HttpMessage:
    message = without_field(registration, b"digest")
    message = HttpMessage("POST", b"/a?b=c", message.fields, message.body)
    return with_fields(message, [content_digest_field(message.body)])


@pytest.mark.parametrize("primitive", list(ALGORITHMS))
def test_http_message_signatures_verifies_ours(modern_request, every_key, primitive):
    library = pytest.importorskip("http_message_signatures")
    key = every_key[primitive]
    created = int(datetime.now(UTC).timestamp())  # their clock cannot be set
    fields = sign_rfc9421(
        modern_request, key=key, keyid="k", created=created, covered=(*COMPONENTS, "@query")
    )
    verifier = library.HTTPMessageVerifier(
        signature_algorithm=getattr(library.algorithms, ALGORITHMS[primitive]),
        key_resolver=Keys(key),
    )
    (result,) = verifier.verify(
        theirs(with_fields(modern_request, fields)), max_age=timedelta(minutes=5)
    )
    assert result.parameters["keyid"] == "k"


@pytest.mark.parametrize("primitive", list(ALGORITHMS))
def test_ours_verifies_http_message_signatures(modern_request, every_key, primitive):
    library = pytest.importorskip("http_message_signatures")
    key = every_key[primitive]
    signer = library.HTTPMessageSigner(
        signature_algorithm=getattr(library.algorithms, ALGORITHMS[primitive]),
        key_resolver=Keys(key),
    )
    request = theirs(modern_request)
    now = datetime.now(UTC)
    signer.sign(
        request,
        key_id="k",
        created=now,
        covered_component_ids=(*COMPONENTS, "@query"),
        use_existing_digest=True,
    )
    fields = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    message = HttpMessage.of("POST", b"/a?b=c", fields, modern_request.body)
    policy = SignaturePolicy(STET.coverage, modes=(Mode.RFC9421,))
    assert verify_message(message, lambda _: key.verification_key(), at=now, policy=policy)


OPENSSL = {
    Primitive.RSA_PKCS1V15_SHA256: ["-sha256"],
    Primitive.RSA_PKCS1V15_SHA512: ["-sha512"],
    Primitive.RSA_PSS_SHA512: [
        *("-sha512", "-sigopt", "rsa_padding_mode:pss"),
        *("-sigopt", "rsa_pss_saltlen:64"),
    ],
    Primitive.ECDSA_P256_SHA256_DER: ["-sha256"],
    Primitive.ECDSA_P256_SHA512_DER: ["-sha512"],
    Primitive.ECDSA_P384_SHA384_DER: ["-sha384"],
    Primitive.ECDSA_P521_SHA512_DER: ["-sha512"],
}


@pytest.mark.parametrize("primitive", list(OPENSSL))
def test_openssl_verifies_ours_and_ours_verifies_openssl(
    registration, every_key, primitive, tmp_path: Path
):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the command openssl")
    key = every_key[primitive]
    fields = sign(registration, key=key, keyid="k", algorithm_label=None)
    parsed = parse_signature(with_fields(registration, fields))
    (tmp_path / "string").write_bytes(signing_string(registration, parsed))
    (tmp_path / "signature").write_bytes(parsed.signature)
    public_key = key.verification_key().public_key
    (tmp_path / "public").write_bytes(
        public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "private").write_bytes(
        key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    command = [openssl, "dgst", *OPENSSL[primitive]]
    verify = [*command, "-verify", "public", "-signature", "signature", "string"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    make = [*command, "-sign", "private", "-out", "theirs", "string"]
    subprocess.run(make, cwd=tmp_path, capture_output=True, check=True)
    signed = (tmp_path / "string").read_bytes()
    assert key.verification_key().verify((tmp_path / "theirs").read_bytes(), signed)
