"""Answers that bear the bank's seal."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from enrol.errors import ConfigurationError
from enrol.httpsig import RESPONSE, HttpMessage, signing_key, verify_message
from enrol.sandbox import pki
from enrol.sandbox.files import certificates_pem, key_pem
from enrol.sandbox.seed import RandomKeys
from enrol.server.answer import Answer, answer, date_field
from enrol.server.seal import BankSeal, Sealing, read_seal

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
PATH = b"/stet/setting/v1/register"
KEY = signing_key(ec.generate_private_key(ec.SECP256R1()))
SEALING = Sealing(BankSeal(KEY, "k"), PATH)


def dated(status: int = 200, body: bytes = b"{}") -> Answer:
    given = answer(status, body, request_id="r-1")
    return Answer(given.status, (date_field(AT), *given.fields), given.body)


def request(target: bytes = PATH, method: str = "POST") -> HttpMessage:
    return HttpMessage(method, target, (), b"")


@pytest.mark.parametrize("target", [PATH, PATH + b"/abc", PATH + b"?a=%2f"])
@pytest.mark.parametrize(("method", "status"), [("POST", 201), ("GET", 401), ("DELETE", 204)])
async def test_an_answer_is_signed_for_the_request_it_answers(
    target: bytes, method: str, status: int
) -> None:
    sealed = await SEALING.finish(
        dated(status, b"" if status == 204 else b"{}"), request(target, method)
    )
    message = HttpMessage(method, target, sealed.fields, sealed.body)
    verified = verify_message(message, lambda _: KEY.verification_key(), at=AT, policy=RESPONSE)
    assert verified.keyid == "k"
    assert ("content-type" in verified.covered) is (status != 204)


@pytest.mark.parametrize("target", [b"/health", PATH + b"s", b"/stet/psd2/oauth/token"])
async def test_answers_elsewhere_are_left_as_they_are(target: bytes) -> None:
    assert await SEALING.finish(dated(), request(target)) == dated()


async def test_an_answer_about_a_target_that_cannot_be_signed_is_left_as_it_is() -> None:
    assert await SEALING.finish(dated(400), request(PATH + b"/\xff")) == dated(400)


@pytest.fixture(scope="module")
def issued() -> pki.Issued:
    authority = pki.create_authority(RandomKeys(), at=AT)
    return pki.issue(authority, at=AT, kind="qsealc", roles=["PSP_AS"])


@pytest.fixture
def pair(issued: pki.Issued, tmp_path: Path) -> tuple[Path, Path]:
    certificate, key = tmp_path / "seal.pem", tmp_path / "seal.key"
    certificate.write_bytes(certificates_pem(issued.certificate))
    key.write_bytes(key_pem(issued.private_key))
    return certificate, key


def test_the_keyid_is_the_serial_number_unless_it_is_given(
    issued: pki.Issued, pair: tuple[Path, Path]
) -> None:
    assert read_seal(*pair).keyid == str(issued.certificate.serial_number)
    assert (
        read_seal(*pair, keyid="https://bank.example/c.pem").keyid == "https://bank.example/c.pem"
    )


def refusal(pair: tuple[Path, Path]) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read_seal(*pair)
    return refused.value.code


def test_a_file_that_is_not_what_it_should_be_is_refused(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    assert refusal((certificate, certificate)) == "seal_unreadable"
    assert refusal((key, key)) == "seal_unreadable"
    assert refusal((certificate, key.with_name("absent"))) == "seal_unreadable"


def test_a_key_of_another_certificate_is_refused(pair: tuple[Path, Path]) -> None:
    pair[1].write_bytes(key_pem(ed25519.Ed25519PrivateKey.generate()))
    assert refusal(pair) == "seal_mismatch"


def test_a_key_too_weak_to_sign_is_refused(tmp_path: Path) -> None:
    authority = pki.create_authority(RandomKeys(), at=AT)
    weak = pki.issue(authority, at=AT, kind="qsealc", faults=["weak-key"])
    pair = tmp_path / "seal.pem", tmp_path / "seal.key"
    pair[0].write_bytes(certificates_pem(weak.certificate))
    pair[1].write_bytes(key_pem(weak.private_key))
    assert refusal(pair) == "seal_key_weak"
