"""What a software statement must say to be believed, and when."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrol.errors import ClientMetadataError
from enrol.oauth.jws import read_key_set
from enrol.oauth.software_statement import (
    SoftwareStatement,
    StatementRules,
    check_signature,
    check_times,
    parse_statement,
    read_statement,
)
from statement_issuer import AUDIENCE, ISSUER, StatementIssuer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DIRECTORY = StatementIssuer()
KEYS = read_key_set(DIRECTORY.jwks)
RULES = StatementRules(
    algorithms=frozenset({"ES256"}),
    audience=frozenset({AUDIENCE}),
    lifetime=timedelta(hours=24),
    leeway=timedelta(seconds=60),
)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def claims(**changes: Any) -> dict[str, Any]:
    return DIRECTORY.claims(NOW.timestamp(), **changes)


def judge(text: str, *, at: datetime = NOW, rules: StatementRules = RULES) -> SoftwareStatement:
    statement = parse_statement(text)
    check_signature(statement, KEYS, rules)
    read = read_statement(statement, rules)
    check_times(statement, rules, at=at)
    return read


def code_of(text: str, **others: Any) -> str:
    with pytest.raises(ClientMetadataError) as refusal:
        judge(text, **others)
    assert [finding.member for finding in refusal.value.findings] == ["software_statement"]
    return refusal.value.code


def test_a_statement_is_read_as_it_was_written() -> None:
    read = judge(DIRECTORY.sign(claims()))
    assert (read.issuer, read.jti) == (ISSUER, "statement-1")
    assert read.organization == "PSDFR-ACPR-12345"
    assert read.metadata == {
        "provider_legal_id": "PSDFR-ACPR-12345",
        "redirect_uris": ["https://tpp.test/cb", "https://tpp.test/cb2"],
        "software_id": "acme-app",
    }


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.text("abcdefgh_", min_size=1, max_size=6), _json, max_size=4))
def test_whatever_an_issuer_says_arrives_unchanged(stated: dict[str, Any]) -> None:
    bare = claims(redirect_uris=None, software_id=None)
    read = judge(DIRECTORY.sign(stated | bare))
    assert read.metadata == stated | {"provider_legal_id": "PSDFR-ACPR-12345"}


@given(st.data())
def test_a_statement_with_any_byte_changed_is_refused(data: st.DataObject) -> None:
    text = DIRECTORY.sign(claims())
    octets = bytearray(text.encode())
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 127))
    assert code_of(octets.decode("latin-1")).startswith("statement_")


def test_a_statement_is_not_about_a_client_id_and_holds_no_other_statement() -> None:
    read = judge(DIRECTORY.sign(claims(client_id="stolen", software_statement="x", sub="me")))
    assert read.metadata.keys() == {"provider_legal_id", "redirect_uris", "software_id"}


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "jti", "provider_legal_id"])
def test_a_statement_without_one_of_its_claims_is_refused(claim: str) -> None:
    assert code_of(DIRECTORY.sign(claims(**{claim: None}))) == "statement_claims"


@pytest.mark.parametrize(
    "change",
    [{"exp": "soon"}, {"iat": []}, {"jti": ""}, {"jti": "x" * 256}, {"aud": 1}, {"iss": ["x"]}],
    ids=["exp", "iat", "no jti", "long jti", "aud", "iss"],
)
def test_a_claim_of_another_type_is_none(change: dict[str, Any]) -> None:
    assert code_of(DIRECTORY.sign(claims(**change))) == "statement_claims"


@pytest.mark.parametrize(
    "audience", ["https://other.test", [], ["https://other.test"], f"{AUDIENCE}/"]
)
def test_a_statement_for_somebody_else_is_refused(audience: object) -> None:
    assert code_of(DIRECTORY.sign(claims(aud=audience))) == "statement_audience"


def test_a_statement_may_be_for_several() -> None:
    assert judge(DIRECTORY.sign(claims(aud=["https://other.test", AUDIENCE])))


def test_a_statement_ends_with_its_exp_and_the_leeway() -> None:
    text = DIRECTORY.sign(claims())
    end = NOW + HOUR + timedelta(seconds=60)
    assert judge(text, at=end - SECOND)
    assert code_of(text, at=end) == "statement_expired"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_statement_of_the_future_is_refused(claim: str) -> None:
    later = int(NOW.timestamp()) + 60
    assert judge(DIRECTORY.sign(claims(**{claim: later})))
    assert code_of(DIRECTORY.sign(claims(**{claim: later + 1}))) == "statement_early"


def test_a_statement_that_would_hold_for_too_long_is_refused() -> None:
    now = int(NOW.timestamp())
    assert judge(DIRECTORY.sign(claims(exp=now + 24 * 3600)))
    assert code_of(DIRECTORY.sign(claims(exp=now + 24 * 3600 + 1))) == "statement_old"


def test_a_statement_that_was_made_too_long_ago_is_refused() -> None:
    made = int(NOW.timestamp()) - 24 * 3600
    rules = RULES
    text = DIRECTORY.sign(claims(iat=made - 61, exp=made + 24 * 3600 - 61))
    assert code_of(text, rules=rules) in ("statement_expired", "statement_old")
    assert code_of(DIRECTORY.sign(claims(iat=made - 61, exp=made + 25 * 3600))) == "statement_old"


@pytest.mark.parametrize("number", ["1e400", "NaN", "Infinity", "-Infinity"])
def test_no_time_is_beyond_counting(number: str) -> None:
    payload = json.dumps(claims(exp="?")).replace('"?"', number).encode()
    assert code_of(DIRECTORY.sign(payload)) == "statement_malformed"


def test_another_claim_names_the_organisation_where_that_is_set() -> None:
    rules = StatementRules(
        RULES.algorithms, RULES.audience, RULES.lifetime, RULES.leeway, organization_claim="org"
    )
    text = DIRECTORY.sign(claims(org="PSDFR-ACPR-9", provider_legal_id=None))
    assert judge(text, rules=rules).organization == "PSDFR-ACPR-9"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x", "statement_malformed"),
        (DIRECTORY.sign(b"[]"), "statement_malformed"),
        (DIRECTORY.sign(b'{"iss":"a","iss":"b"}'), "statement_malformed"),
        (DIRECTORY.sign(claims(), typ="client-authentication+jwt"), "statement_header"),
        (
            StatementIssuer(keys=dict(DIRECTORY.keys))
            .sign(claims(), kid="k1")
            .replace(".", "..", 1),
            "statement_malformed",
        ),
    ],
    ids=["text", "list", "claim twice", "assertion", "four parts"],
)
def test_what_is_no_statement_is_refused(text: str, code: str) -> None:
    assert code_of(text) == code
