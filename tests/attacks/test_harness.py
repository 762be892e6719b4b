"""The tools of the attacks do no harm by themselves: what is not bent is accepted."""

import pytest

from attacks import forgeries, oddkeys, revocations
from attacks.attempt import Attempt, begin
from attacks.bank import Banks, planted_token
from attacks.corpus import Attack
from attacks.issuer import HOST, says
from attacks.keyfiles import answer
from attacks.members import numbers_of
from attacks.mint import unchanged, with_key
from attacks.scenes import greet
from attacks.signatures import sign
from attacks.symbols import below_a_constrained_ca, ec_qsealc
from live.party import Pair
from vectors import shared

pytestmark = pytest.mark.live
CONTROL = Attack({"id": "control", "variants": [], "invariants": []})


@pytest.fixture
def attempt(banks: Banks) -> Attempt:
    """A request of A that is as it should be."""
    shared("spec", "attack-cases.json")
    return begin(CONTROL, banks.get("open"))


def status_of(attempt: Attempt) -> int | str:
    """Return what an attempt came to."""
    attempt.run()
    (outcome,) = attempt.outcomes
    return outcome.kind


def test_the_request_every_attack_starts_from_is_good(attempt: Attempt) -> None:
    assert status_of(attempt) == 201


def test_a_certificate_that_was_signed_again_is_good(attempt: Attempt) -> None:
    attempt.identity = attempt.bank.mint.forge("again", attempt.bank.a.qwac, unchanged)
    attempt.set_field("Authorization", f"Bearer {token_for(attempt)}")
    assert status_of(attempt) == 201


def test_a_certificate_on_a_named_curve_is_good(attempt: Attempt) -> None:
    info, key = oddkeys.new_ec_key()
    attempt.identity = attempt.bank.mint.forge(
        "named-curve", attempt.bank.a.qwac, with_key(info), key=key
    )
    attempt.set_field("Authorization", f"Bearer {token_for(attempt)}")
    assert status_of(attempt) == 201


def test_a_key_that_repeats_its_certificate_is_good(attempt: Attempt) -> None:
    key = attempt.sender.qsealc.key.public_key()
    attempt.document["jwks"]["keys"][0].update(numbers_of(key))
    assert status_of(attempt) == 201


def token_for(attempt: Attempt) -> str:
    """Return a token for the certificate of an attempt."""
    assert attempt.identity is not None
    data = attempt.sender.token_draft().to_bytes()
    return str(attempt.send(data).replies[0].json["access_token"])


def test_a_name_within_the_constraints_of_a_ca_passes_the_handshake(attempt: Attempt) -> None:
    attempt.identity = below_a_constrained_ca("example")(attempt.bank.mint)
    attempt.run()
    assert attempt.outcomes[0].replies[0].code == "cert_issuer_not_listed"


def test_a_first_flight_with_fit_suites_is_answered(attempt: Attempt) -> None:
    assert greet(attempt.bank.desk.port, "fit").alert is None


def test_a_token_in_the_register_is_good(attempt: Attempt) -> None:
    attempt.set_field("Authorization", f"Bearer {planted_token({})}")
    assert status_of(attempt) == 201


def test_a_certificate_behind_a_keyid_is_fetched(attempt: Attempt) -> None:
    pem = attempt.sender.qsealc.certificate_file.read_bytes()
    attempt.bank.sink.answers["/good.pem"] = answer(pem)
    attempt.document.pop("jwks")
    url = "https://sink.test/good.pem"
    attempt.seals = [lambda draft: sign(draft, attempt.sender, keyid=url)]
    visits = attempt.bank.sink.visits
    assert status_of(attempt) == 201
    assert attempt.bank.sink.visits == visits + 1


@pytest.mark.parametrize("place", ["ocsp", "crl"])
def test_a_certificate_is_good_by_an_issuer_that_does_its_duty(banks: Banks, place: str) -> None:
    shared("spec", "attack-cases.json")
    attempt = begin(CONTROL, banks.get("asking"))
    site = attempt.bank.issuer
    change = revocations.asking_at(**{place: f"http://{HOST}/good-{place}"})
    files = attempt.bank.mint.forge(f"good-{place}", attempt.bank.a.qwac, change)
    good = {
        "ocsp": lambda: revocations.response(attempt, files),
        "crl": lambda: revocations.revocation_list(attempt),
    }[place]
    site.answers[f"/good-{place}"] = says(good())
    attempt.identity = files
    attempt.set_field("Authorization", f"Bearer {token_for(attempt)}")
    assert status_of(attempt) == 201


def test_a_signature_padded_by_hand_is_good(attempt: Attempt) -> None:
    signer = forgeries.rsa_signer(attempt.sender.qsealc.key, forgeries.padded)
    attempt.seals = [lambda draft: sign(draft, attempt.sender, signer=signer)]
    assert status_of(attempt) == 201


def test_a_seal_on_a_curve_is_good(attempt: Attempt) -> None:
    pair: Pair = ec_qsealc(attempt.bank)
    attempt.use_qsealc(pair)
    attempt.document["jwks"]["keys"][0].update(kty="EC", alg="ES256")
    attempt.seals = [
        lambda draft: sign(
            draft,
            attempt.sender,
            algorithm="ecdsa-sha256",
            signer=lambda signed: forgeries.ecdsa_signature(pair.key, signed),
        )
    ]
    assert status_of(attempt) == 201
