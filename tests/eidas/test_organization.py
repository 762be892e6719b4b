import pytest

from eidas.refusals import refusal_of
from enrol.eidas.organization import (
    country_of,
    nca_id_of,
    number_of,
    parse_organization_identifier,
)


@pytest.mark.parametrize(
    ("text", "nca_id", "number"),
    [
        ("PSDFR-ACPR-12345", "FR-ACPR", "12345"),
        ("PSDMT-MFSA-A 12345", "MT-MFSA", "A 12345"),
        ("PSDBE-NBB-1234.567.890", "BE-NBB", "1234.567.890"),
        ("PSDFI-FINFSA-2858394-9", "FI-FINFSA", "2858394-9"),
        ("PSDLT-BL-LB002007", "LT-BL", "LB002007"),
        ("PSDDE-BAFINXXX-1", "DE-BAFINXXX", "1"),
        ("PSDFR-ACPR-" + "9" * 60, "FR-ACPR", "9" * 60),
    ],
)
def test_organization_identifier_names_country_authority_and_number(text, nca_id, number):
    identifier = parse_organization_identifier(text)
    assert identifier == text
    assert nca_id_of(identifier) == nca_id
    assert country_of(identifier) == nca_id[:2]
    assert number_of(identifier) == number


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("PSDFR-ACPR-", id="no number"),
        pytest.param("PSDFR-ACPR", id="no number and no hyphen"),
        pytest.param("PSDFR-A-12345", id="authority of one letter"),
        pytest.param("PSDFR-ABCDEFGHI-12345", id="authority of nine letters"),
        pytest.param("PSDFR-acpr-12345", id="small letters in the authority"),
        pytest.param("psdFR-ACPR-12345", id="small letters in the prefix"),
        pytest.param("PSDF1-ACPR-12345", id="digit in the country"),
        pytest.param("PSDFR-ÀCPR-12345", id="accent in the authority"),
        pytest.param("PSDFR-ACPR-1234５", id="full-width digit in the number"),
        pytest.param("PSDFR-ACPR-123\n45", id="line feed in the number"),
        pytest.param("PSDFR-ACPR-12345\n", id="line feed at the end"),
        pytest.param("PSDFR-ACPR-\x00", id="NUL"),
        pytest.param(" PSDFR-ACPR-12345", id="space in front"),
        pytest.param("PSDFR-ACPR- 12345", id="number begins with a space"),
        pytest.param("PSDFR-ACPR-12345 ", id="number ends with a space"),
        pytest.param("PSDFR-ACPR-" + "9" * 61, id="number of 61 characters"),
        pytest.param("PADFR-ACPR-30748", id="PAD"),
        pytest.param("XX:GR-18050", id="national scheme"),
        pytest.param("VATUS+PA-1111111111111", id="VAT"),
        pytest.param("GR-BOG-800000005", id="without PSD"),
    ],
)
def test_organization_identifier_of_another_form_is_refused(text):
    assert refusal_of(parse_organization_identifier, text) == "organization_identifier_malformed"
