"""Requests signed on one side and verified on the other, without a server between."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from enrol.errors import RefusalError
from enrol.httpsig import (
    STET,
    HttpMessage,
    Mode,
    Primitive,
    SignaturePolicy,
    SigningKey,
    content_digest_field,
    digest_field,
    parse_signature,
    sign,
    sign_rfc9421,
    verify_message,
)
from interop import programs

METHOD, TARGET = "POST", "/stet/setting/v1/register?a=%2f&b"
BODY = '{"client_name": "Acmé"}'
COVERED = ("(request-target)", "digest", "date", "x-request-id")
COMPONENTS = ("@method", "@authority", "@path", "@query", "content-digest", "x-request-id")
POLICY = SignaturePolicy(STET.coverage, modes=tuple(Mode))
_FIELDS = {
    "Host": "api.bank.example",
    "Content-Type": "application/json",
    "X-Request-ID": "0f6b1f8e-2a7d-4c55-9d0b-3f7c3f1f5a10",
}

Job = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """One way to sign: the mode, the label of the algorithm and what it is."""

    mode: Mode
    label: str
    primitive: Primitive

    @property
    def covered(self) -> tuple[str, ...]:
        """What is signed of the request."""
        return COMPONENTS if self.mode is Mode.RFC9421 else COVERED


def new_keys() -> dict[str, PrivateKeyTypes]:
    """Return a private key of each kind, by how the names of its primitives begin."""
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ecdsa-p256": ec.generate_private_key(ec.SECP256R1()),
        "ecdsa-p384": ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


def key_of(form: Form, keys: dict[str, PrivateKeyTypes]) -> SigningKey:
    """Return the key a form signs with."""
    return next(
        SigningKey(key, form.primitive)
        for kind, key in keys.items()
        if form.primitive.startswith(kind)
    )


def job(action: str, form: Form, key: SigningKey, fields: dict[str, str]) -> Job:
    """Return a request to sign or to verify, as programs take it."""
    private = key.private_key.private_bytes(
        Encoding.PEM,
        PrivateFormat.PKCS8,
        NoEncryption(),
    )
    public = key.private_key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "action": action,
        "mode": form.mode,
        "label": form.label,
        "primitive": form.primitive,
        "keyid": "interop",
        "method": METHOD,
        "target": TARGET,
        "covered": list(form.covered),
        "fields": fields,
        "body": BODY,
        "private_key": private.decode(),
        "public_key": public.decode(),
    }


def unsigned_fields() -> dict[str, str]:
    """Return the fields of the request, dated now, with both digests."""
    return {
        **_FIELDS,
        "Date": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S GMT}",
        **dict([digest_field(BODY.encode()), content_digest_field(BODY.encode())]),
    }


def message_of(fields: dict[str, str], target: str = TARGET) -> HttpMessage:
    """Return the request as Enrol reads it."""
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    return HttpMessage.of(METHOD, target.encode(), raw, BODY.encode())


def signed_by_enrol(form: Form, key: SigningKey) -> dict[str, str]:
    """Return the fields of the request with those that sign it."""
    fields = unsigned_fields()
    message = message_of(fields)
    if form.mode is Mode.RFC9421:
        now = int(datetime.now(UTC).timestamp())
        added = sign_rfc9421(message, key=key, keyid="interop", created=now, covered=COMPONENTS)
    else:
        added = sign(
            message,
            key=key,
            keyid="interop",
            covered=form.covered,
            algorithm_label=form.label,
        )
    return fields | dict(added)


def judged_by_enrol(form: Form, key: SigningKey, fields: dict[str, str]) -> str:
    """Return ``yes``, or the rule a request signed by others is refused by."""
    verifier = key.verification_key()
    now = datetime.now(UTC)
    try:
        verify_message(message_of(fields), lambda _: verifier, at=now, policy=POLICY)
    except RefusalError as refusal:
        return f"no: {refusal.code}"
    try:
        verify_message(message_of(fields, TARGET + "x"), lambda _: verifier, at=now, policy=POLICY)
    except RefusalError:
        return "yes"
    return "no: takes anything"


class Program:
    """Another implementation, in a process that is given all jobs at once."""

    def __init__(self, *command: str | Path) -> None:
        self._command = command
        self.version = ""

    def run(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Return its answers, in order."""
        said = json.loads(programs.run(*self._command, stdin=json.dumps(jobs)))
        self.version = said["version"]
        return list(said["answers"])


_OPTIONS = {
    Primitive.RSA_PKCS1V15_SHA256: "-sha256",
    Primitive.RSA_PKCS1V15_SHA512: "-sha512",
    Primitive.RSA_PSS_SHA512: ("-sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64"),
    Primitive.ECDSA_P256_SHA256_DER: "-sha256",
    Primitive.ECDSA_P384_SHA384_DER: "-sha384",
    Primitive.ED25519: "rawin",
}


class OpenSsl:
    """openssl, given what it is to sign by a shell script."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.version = programs.run("openssl", "version").split(" ")[1].split(".")[0]

    def run(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Sign and verify one after the other."""
        return [self._answer(job) for job in jobs]

    def _answer(self, job: Job) -> dict[str, Any]:
        fields = dict(job["fields"])
        parameters, signature = self._signature(job)
        environment = {
            "FORM": job["mode"],
            "METHOD": job["method"],
            "TARGET": job["target"],
            "COVERED": " ".join(job["covered"]),
            "PARAMETERS": parameters,
            "OPTIONS": _OPTIONS[job["primitive"]],
            "SIGNATURE": signature,
            "FOLDER": str(self._folder),
            "FIELDS": str(self._folder / "fields"),
            "KEY": str(self._folder / "key"),
        }
        lines = [f"{name}: {value}\n" for name, value in fields.items()]
        (self._folder / "fields").write_text("".join(lines))
        (self._folder / "key").write_text(job["public_key" if signature else "private_key"])
        ended = subprocess.run(
            [programs.HERE / "exchange_openssl.sh"],
            env={"PATH": programs.path(), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if signature:
            return {"holds": ended.returncode == 0}
        assert ended.returncode == 0, ended.stderr
        return {"fields": fields | _carried(job, parameters, ended.stdout.strip())}

    def _signature(self, job: Job) -> tuple[str, str]:
        """Return what is signed of the signature's own parameters, and the signature if any."""
        if job["action"] == "verify" and job["mode"] == Mode.RFC9421:
            parameters = job["fields"]["Signature-Input"].partition("=")[2]
            return parameters, job["fields"]["Signature"].partition("=:")[2].rstrip(":")
        if job["action"] == "verify":
            return "", job["fields"]["Signature"].rpartition('signature="')[2].rstrip('"')
        names = " ".join(f'"{name}"' for name in job["covered"])
        now = int(datetime.now(UTC).timestamp())
        return f'({names});created={now};keyid="{job["keyid"]}";alg="{job["label"]}"', ""


def _carried(job: Job, parameters: str, signature: str) -> dict[str, str]:
    """Return the fields that carry a signature."""
    if job["mode"] == Mode.RFC9421:
        return {"Signature-Input": f"hand={parameters}", "Signature": f"hand=:{signature}:"}
    return {
        "Signature": f'keyId="{job["keyid"]}",algorithm="{job["label"]}",'
        f'headers="{" ".join(job["covered"])}",signature="{signature}"'
    }


def both_ways(
    program: Program | OpenSsl, forms: Sequence[Form], keys: dict[str, PrivateKeyTypes]
) -> list[tuple[str, str]]:
    """Return for each form whether they verify what Enrol signs, and Enrol what they sign.

    A ``yes`` says too that the same signature does not hold for another target.
    """
    pairs = [(form, key_of(form, keys)) for form in forms]
    jobs: list[Job] = []
    for form, key in pairs:
        ours = job("verify", form, key, signed_by_enrol(form, key))
        jobs += [ours, ours | {"target": TARGET + "x"}, job("sign", form, key, unsigned_fields())]
    answers = program.run(jobs)
    return [
        (_judgement(*answers[3 * n : 3 * n + 2]), _judged(form, key, answers[3 * n + 2]))
        for n, (form, key) in enumerate(pairs)
    ]


def _judgement(genuine: dict[str, Any], forged: dict[str, Any]) -> str:
    if not genuine.get("holds"):
        return f"no: {genuine.get('error', 'does not hold')}"
    return "no: takes anything" if forged.get("holds") else "yes"


def _judged(form: Form, key: SigningKey, answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"cannot: {answer['error']}"
    assert parse_signature(message_of(answer["fields"]), policy=POLICY)
    return judged_by_enrol(form, key, answer["fields"])
