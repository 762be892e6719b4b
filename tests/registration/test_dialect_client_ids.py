"""The identifiers that a client gets in each dialect."""

import re

import pytest

from dialects import AT
from enrol.adapters.dialects import dialect_names, load_dialect
from enrol.registration.client_id import new_client_id

NAMES = dialect_names()

each = pytest.mark.parametrize("name", NAMES)


FORMS = {
    "stet": r"[0-9a-f]{32}",
    "bpce": r"1PSDFR-ACPR-12345-0-[A-Z2-7]{16}",
    "lcl": r"PSDFR-ACPR-12345_[A-Z2-7]{16}",
    "cic": r"[0-9a-f]{40}",
    "labanquepostale": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "creditagricole": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


@pytest.mark.parametrize(("name", "form"), FORMS.items(), ids=FORMS)
def test_a_client_id_has_its_banks_form(name: str, form: str) -> None:
    rules = load_dialect(name).client_id
    made = new_client_id(rules.form, legal_id="PSDFR-ACPR-12345", at=AT, random=bytes)
    assert re.fullmatch(form, made)


@each
def test_a_client_id_has_eighty_random_bits_in_every_dialect(name: str) -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    new_client_id(load_dialect(name).client_id.form, legal_id="X", at=AT, random=random)
    assert sum(asked) >= 10


@each
def test_a_client_id_fits_into_a_path_whatever_the_organisation_is_called(name: str) -> None:
    legal_id = "PSDXX-ABCDEFGH-" + "a/b c%2e" * 7
    made = new_client_id(load_dialect(name).client_id.form, legal_id=legal_id, at=AT, random=bytes)
    assert re.fullmatch(r"[A-Za-z0-9._~-]{1,128}", made)


def test_an_agent_has_its_own_legal_id_in_a_client_id() -> None:
    made = new_client_id(
        "1{legal_id}-0-{random}", legal_id="AGTFR-ACPR-12345001", at=AT, random=bytes
    )
    assert made.startswith("1AGTFR-ACPR-12345001-0-")
