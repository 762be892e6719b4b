"""``enrol explain``: what people and scripts get from it."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate
from typer.testing import CliRunner, Result

from enrol.cli.main import app
from enrol.errors import ConfigurationError
from enrol.explanations import EXPLANATIONS
from enrol.httpsig import HttpMessage, SigningKey, digest_value, sign, signing_key
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RandomKeys

TARGET = b"/stet/setting/v1/register?a=b"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def tpp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sandbox's TPP, with its certificates and keys."""
    folder = tmp_path_factory.mktemp("explain") / "sandbox"
    create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
    return folder / "tpp"


@pytest.fixture(scope="module")
def key(tpp: Path) -> SigningKey:
    return signing_key(load_pem_private_key((tpp / "qsealc.key").read_bytes(), None))


@pytest.fixture
def run() -> Run:
    def command(*arguments: object, **options: Any) -> Result:
        return CliRunner().invoke(app, ["explain", *map(str, arguments)], **options)

    return command


def request(key: SigningKey, *, signed: bytes = TARGET, body: bytes = b"{}", **options) -> bytes:
    """Return a raw request whose signature covers the target `signed`."""
    fields = [("Host", "bank.example"), ("X-Request-ID", "r1"), ("Digest", digest_value(body))]
    fields.append(("Content-Length", str(len(body))))
    fields += options.pop("fields", [])
    raw = [(name.encode(), value.encode()) for name, value in fields]
    fields += sign(HttpMessage.of("POST", signed, raw, body), key=key, keyid="k", **options)
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return b"POST " + TARGET + b" HTTP/1.1\r\n" + head.encode() + b"\r\n" + body


def test_a_sound_request_exits_with_0(run: Run, tpp: Path, key: SigningKey, tmp_path: Path) -> None:
    file = tmp_path / "request.http"
    file.write_bytes(request(key))
    result = run("signature", file, "--certificate", tpp / "qsealc.pem")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("The signature verifies (cavage).\n")
    assert (
        "\n  SIG-1    The signature is that of the key over the signing string.\n" in result.stdout
    )
    assert "\n   1 (request-target): post /stet/setting/v1/register?a=b\n" in result.stdout


def test_a_mistake_exits_with_1_and_is_named(run: Run, tpp: Path, key: SigningKey) -> None:
    data = request(key, signed=TARGET.partition(b"?")[0])
    result = run("signature", "-", "--certificate", tpp / "qsealc.pem", input=data)
    assert result.exit_code == 1
    assert "The signature does not verify: SIG-1." in result.stdout
    assert "The signature verifies if the query is not signed as it has to be" in result.stdout


def test_json_carries_everything(run: Run, tpp: Path, key: SigningKey) -> None:
    data = request(key, signed=TARGET.partition(b"?")[0])
    result = run("signature", "-", "--certificate", tpp / "qsealc.pem", "--json", input=data)
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["verifies"], document["refused_by"]) == (False, "SIG-1")
    assert [mistake["name"] for mistake in document["mistakes"]] == ["query-missing"]
    assert document["signing_string"].startswith("(request-target): post /stet/setting/v1/")
    verdicts = {finding["rule"]: finding["verdict"] for finding in document["findings"]}
    assert (verdicts["SIG-1"], verdicts["COV-1"], verdicts["KEY-2"]) == (
        "fails",
        "holds",
        "undecided",
    )


def test_the_clients_string_is_compared(
    run: Run, tpp: Path, key: SigningKey, tmp_path: Path
) -> None:
    claimed = tmp_path / "string"
    claimed.write_bytes(b"(request-target): post /stet/setting/v1/register\r\n")
    result = run(
        *("signature", "-", "--certificate", tpp / "qsealc.pem"),
        *("--client-signing-string", claimed),
        input=request(key, signed=TARGET.partition(b"?")[0]),
    )
    assert "The client's string departs from it in line 1, column 49" in result.stdout
    assert "(request-target): post /stet/setting/v1/register\\r\n" in result.stdout


def test_an_old_request_is_only_late(run: Run, tpp: Path, key: SigningKey) -> None:
    dated = [("Date", "Tue, 14 Nov 2023 22:13:20 GMT")]
    covered = ("(request-target)", "digest", "x-request-id", "date")
    data = request(key, fields=dated, covered=covered)
    late = run("signature", "-", "--certificate", tpp / "qsealc.pem", input=data)
    assert late.exit_code == 1
    assert "Only the time is wrong: it verifies at 2023-11-14T22:13:20Z" in late.stdout
    for at in ("2023-11-14T22:13:20Z", "2023-11-14 23:13:20+01:00", "2023-11-14T22:13:20"):
        then = run(*("signature", "-", "--certificate", tpp / "qsealc.pem", "--at", at), input=data)
        assert then.exit_code == 0, then.output


def test_the_strict_profile_wants_more(run: Run, tpp: Path, key: SigningKey) -> None:
    data = request(key)
    result = run(
        *("signature", "-", "--certificate", tpp / "qsealc.pem", "--profile", "strict", "--json"),
        input=data,
    )
    findings = json.loads(result.stdout)["findings"]
    fails = {finding["rule"] for finding in findings if finding["verdict"] == "fails"}
    assert fails == {"COV-4", "COV-5"}


def test_the_key_may_be_a_public_key_or_in_the_body(
    run: Run, tpp: Path, key: SigningKey, tmp_path: Path
) -> None:
    public = tmp_path / "public.pem"
    public.write_bytes(
        key.verification_key().public_key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
    )
    assert run("signature", "-", "--key", public, input=request(key)).exit_code == 0
    der = load_pem_x509_certificate((tpp / "qsealc.pem").read_bytes()).public_bytes(Encoding.DER)
    jwk = {"kty": "RSA", "kid": "k", "x5c": [b64encode(der).decode()]}
    body = json.dumps({"jwks": {"keys": [jwk]}}).encode()
    result = run("signature", "-", input=request(key, body=body))
    assert result.exit_code == 0, result.output
    assert "The key is that of the first certificate in the body's jwks." in result.stdout


def test_curl_needs_the_body_apart(run: Run, tpp: Path, key: SigningKey, tmp_path: Path) -> None:
    head, _, body = request(key).partition(b"\r\n\r\n")
    curl = b"* Connected\n" + b"".join(b"> " + x + b"\n" for x in [*head.split(b"\r\n"), b""])
    without = run("signature", "-", "--certificate", tpp / "qsealc.pem", input=curl)
    assert without.exit_code == 1
    assert "Whether the signature verifies cannot be said." in without.stdout
    file = tmp_path / "body.json"
    file.write_bytes(body)
    whole = run(
        *("signature", "-", "--certificate", tpp / "qsealc.pem", "--body-file", file), input=curl
    )
    assert whole.exit_code == 0, whole.output


def test_a_request_in_parts(run: Run, tpp: Path, key: SigningKey, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(b"{}")
    lines = request(key).partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    headers = [word for line in lines for word in ("--header", line)]
    result = run(
        *("signature", "--target", TARGET.decode(), *headers),
        *("--body-file", file, "--certificate", tpp / "qsealc.pem"),
    )
    assert result.exit_code == 0, result.output


def test_control_characters_of_a_request_do_not_reach_the_terminal(
    run: Run, tpp: Path, key: SigningKey
) -> None:
    data = request(key).replace(b"r1", b"\x1b[31m")
    result = run("signature", "-", "--certificate", tpp / "qsealc.pem", input=data)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "\\x1b[31m" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("signature",), "capture_missing"),
        (("signature", "FILE", "--target", "/x"), "capture_missing"),
        (("signature", "/nowhere"), "file_missing"),
        (("signature", "FILE"), "key_missing"),
        (("signature", "FILE", "--certificate", "FILE"), "certificate_malformed"),
        (("signature", "FILE", "--key", "FILE"), "key_malformed"),
        (("signature", "FILE", "--key", "PRIVATE"), "key_malformed"),
        (("signature", "FILE", "--key", "FILE", "--certificate", "FILE"), "key_doubled"),
        (("signature", "FILE", "--certificate", "PEM", "--at", "noon"), "time_malformed"),
        (("signature", "PEM", "--certificate", "PEM"), "capture_unreadable"),
        (("refusal", "SIG-2"), "code_unknown"),
    ],
)
def test_bad_input_is_said_with_what_to_do(
    run: Run, tpp: Path, key: SigningKey, tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    file = tmp_path / "request.http"
    file.write_bytes(request(key))
    private = tmp_path / "private.pem"
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    private.write_bytes(key.private_key.private_bytes(*form))
    files = {"FILE": file, "PEM": tpp / "qsealc.pem", "PRIVATE": private}
    result = run(*[files.get(word, word) for word in arguments])
    assert isinstance(result.exception, ConfigurationError)  # one line, exit code 2: see main
    assert result.exception.code == code


def test_a_fingerprint_of_the_pem_file_as_it_is(
    run: Run, tpp: Path, key: SigningKey, tmp_path: Path
) -> None:
    pem = tmp_path / "seal.pem"
    pem.write_bytes(b"Bag Attributes\n" + (tpp / "qsealc.pem").read_bytes())
    url = f"https://tpp.example/seal_{sha256(pem.read_bytes()).hexdigest()}"
    data = request(key).replace(b'keyId="k"', f'keyId="{url}"'.encode())
    result = run("signature", "-", "--certificate", pem, "--json", input=data)
    document = json.loads(result.stdout)
    assert document["refused_by"] == "KEY-3"
    assert [mistake["name"] for mistake in document["mistakes"]] == ["pem-file-hash"]


@pytest.mark.parametrize("code", ["SIG-1", "sig-1", "https://bank.example/errors/SIG-1"])
def test_a_refusal_is_explained(run: Run, code: str) -> None:
    result = run("refusal", code)
    assert result.exit_code == 0
    assert EXPLANATIONS["SIG-1"].meaning in result.stdout
    document = json.loads(run("refusal", code, "--json").stdout)
    assert document["code"] == "SIG-1"
    assert document["remedy"] == EXPLANATIONS["SIG-1"].remedy


def test_a_code_that_is_near_another_is_suggested(run: Run) -> None:
    result = run("refusal", "SIG-2")
    assert "Did you mean" in str(result.exception)
    assert "SIG-1" in str(result.exception)
