"""Answers of a bank that signs them, and what is made of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from enrol.client import BankSeal, Profile, TppClient, UnbelievedAnswerError, load_profile
from enrol.errors import ConfigurationError
from enrol.httpsig import HttpMessage, SigningKey, digest_field, sign, signing_key
from enrol.httpsig.sign import RESPONSE_COVERED
from enrol.sandbox import pki
from enrol.server.answer import date_field
from fake_bank import NOW, TOKEN_ENDPOINT, FakeBank

METADATA = {"client_name": "Acme", "redirect_uris": ["https://a.example/1"], "scope": "aisp"}
Bend = Callable[[httpx.Request, httpx.Response], httpx.Response]


@pytest.fixture(scope="session")
def bank_seal(authority: pki.Authority) -> pki.Issued:
    return pki.issue(authority, at=NOW, kind="qsealc", organization_identifier="PSDFR-ACPR-00000")


@pytest.fixture(scope="session")
def other_seal(authority: pki.Authority) -> pki.Issued:
    return pki.issue(authority, at=NOW, kind="qsealc", organization_identifier="PSDFR-ACPR-00000")


def sealed(
    request: httpx.Request,
    response: httpx.Response,
    key: SigningKey,
    *,
    request_id: str | None = None,
    method: str | None = None,
    age: timedelta = timedelta(),
    covered: tuple[str, ...] = RESPONSE_COVERED,
) -> httpx.Response:
    """Sign an answer as a bank does."""
    name, value = date_field(datetime.now(UTC) - age)
    fields = {
        name.decode(): value.decode(),
        "Content-Type": "application/json",
        "X-Request-ID": request_id or request.headers["x-request-id"],
        **dict([digest_field(response.content)]),
    }
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    message = HttpMessage.of(method or request.method, request.url.raw_path, raw, response.content)
    fields |= dict(sign(message, key=key, keyid="bank", covered=covered))
    return httpx.Response(response.status_code, headers=fields, content=response.content)


def call(profile: Profile, bank: FakeBank, seal: BankSeal | None, bend: Bend | None = None) -> None:
    """Register at a bank whose answers are bent on their way."""

    def answer(request: httpx.Request) -> httpx.Response:
        response = bank(request)
        if bend is None or request.url.path == TOKEN_ENDPOINT:
            return response
        return bend(request, response)

    believing = replace(profile.bank, seal=seal)
    transport = httpx.MockTransport(answer)
    with TppClient(believing, profile.credentials, transport=transport) as client:
        client.register(METADATA)


def outcome(*args: object) -> str | None:
    """Return the code an answer is not believed with, and the rule it breaks."""
    try:
        call(*args)  # type: ignore[arg-type]  # those of call
    except UnbelievedAnswerError as exc:
        return f"{exc.code} {exc.rule}" if exc.rule else exc.code
    return None


def test_an_answer_with_the_seal_of_the_bank_is_taken(
    profile: Profile, bank: FakeBank, bank_seal: pki.Issued
) -> None:
    key = signing_key(bank_seal.private_key)
    seal = BankSeal((bank_seal.certificate,), required=True)
    assert outcome(profile, bank, seal, lambda q, a: sealed(q, a, key)) is None


def test_a_bank_that_changes_its_seal_has_two(
    profile: Profile, bank: FakeBank, bank_seal: pki.Issued, other_seal: pki.Issued
) -> None:
    seal = BankSeal((other_seal.certificate, bank_seal.certificate))
    for issued in (bank_seal, other_seal):
        key = signing_key(issued.private_key)
        assert outcome(profile, bank, seal, lambda q, a, key=key: sealed(q, a, key)) is None


def test_an_answer_without_seal_is_taken_unless_the_profile_demands_one(
    profile: Profile, bank: FakeBank, bank_seal: pki.Issued
) -> None:
    certificates = (bank_seal.certificate,)
    assert outcome(profile, bank, BankSeal(certificates)) is None
    demanding = BankSeal(certificates, required=True)
    assert outcome(profile, bank, demanding) == "bank_signature_missing"


def test_a_signature_is_not_looked_at_where_the_seal_is_not_known(
    profile: Profile, bank: FakeBank
) -> None:
    assert outcome(profile, bank, None, _with("signature", "none")) is None


def _with(name: str, value: str) -> Bend:
    def bend(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        response.headers[name] = value
        return response

    return bend


BENT = {
    "the answer to another request": ("bank_signature_elsewhere", {"request_id": "another"}),
    "the answer to another method": ("bank_signature_invalid SIG-1", {"method": "PUT"}),
    "an old answer": ("bank_signature_invalid TIM-3", {"age": timedelta(minutes=10)}),
    "the digest not covered": (
        "bank_signature_invalid COV-2",
        {"covered": ("date", "x-request-id", "(request-target)")},
    ),
    "the date not covered": (
        "bank_signature_invalid COV-6",
        {"covered": ("digest", "x-request-id", "(request-target)")},
    ),
    "the target not covered": (
        "bank_signature_invalid COV-1",
        {"covered": ("digest", "date", "x-request-id")},
    ),
}


@pytest.mark.parametrize(("expected", "bent"), BENT.values(), ids=BENT)
def test_what_the_seal_does_not_say_is_not_believed(
    profile: Profile, bank: FakeBank, bank_seal: pki.Issued, expected: str, bent: dict[str, object]
) -> None:
    key = signing_key(bank_seal.private_key)
    seal = BankSeal((bank_seal.certificate,))
    assert outcome(profile, bank, seal, lambda q, a: sealed(q, a, key, **bent)) == expected  # type: ignore[arg-type]  # of sealed


def test_an_answer_changed_after_it_was_signed_is_not_believed(
    profile: Profile, bank: FakeBank, bank_seal: pki.Issued
) -> None:
    key = signing_key(bank_seal.private_key)

    def changed(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        good = sealed(request, response, key)
        content = good.content.replace(b"PSDFR", b"PSDDE")
        headers = {name: value for name, value in good.headers.items() if name != "content-length"}
        return httpx.Response(good.status_code, headers=headers, content=content)

    seal = BankSeal((bank_seal.certificate,))
    assert outcome(profile, bank, seal, changed) == "bank_signature_invalid DIG-9"


def test_another_seal_is_not_believed(
    profile: Profile, bank: FakeBank, bank_seal: pki.Issued, other_seal: pki.Issued
) -> None:
    key = signing_key(other_seal.private_key)
    seal = BankSeal((bank_seal.certificate,))
    assert (
        outcome(profile, bank, seal, lambda q, a: sealed(q, a, key))
        == "bank_signature_invalid SIG-1"
    )


def test_a_seal_that_is_not_valid_now_is_not_believed(
    profile: Profile, bank: FakeBank, authority: pki.Authority
) -> None:
    yesterday = NOW - timedelta(days=1)
    issued = pki.issue(authority, at=NOW, kind="qsealc", not_after=yesterday)
    key = signing_key(issued.private_key)
    seal = BankSeal((issued.certificate,))
    assert outcome(profile, bank, seal, lambda q, a: sealed(q, a, key)) == "bank_seal_expired"


def test_a_refusal_is_not_believed_either_without_the_seal(
    profile: Profile, bank: FakeBank, bank_seal: pki.Issued
) -> None:
    bank.next_answers.append(httpx.Response(403, json={"error": "access_denied"}))
    demanding = BankSeal((bank_seal.certificate,), required=True)
    assert outcome(profile, bank, demanding) == "bank_signature_missing"


def test_the_profile_of_a_sandbox_knows_the_seal_of_its_bank(sandbox: Path) -> None:
    seal = load_profile(sandbox / "tpp" / "profile.toml").bank.seal
    assert seal is not None
    pem = (sandbox / "bank" / "seal.pem").read_bytes()
    assert seal.certificates == tuple(x509.load_pem_x509_certificates(pem))
    assert not seal.required


def test_a_seal_that_is_demanded_must_be_told(profile_file: Path) -> None:
    text = profile_file.read_text("utf-8")
    profile_file.write_text(
        text.replace('seal = "../bank/seal.pem"', "seal_required = true"), "utf-8"
    )
    with pytest.raises(ConfigurationError, match=r"needs \[bank\] seal"):
        load_profile(profile_file)


def test_the_words_of_an_unbelieved_answer_name_the_rule() -> None:
    error = UnbelievedAnswerError("bank_signature_invalid", request_id="r", rule="SIG-1")
    assert "seal" in str(error)
    assert str(error).endswith("(SIG-1)")
