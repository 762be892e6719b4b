"""Secrets are issued to methods that use one, with an end, and the next in time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import GrantError
from enrol.oauth.client_authentication import METHODS
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.client_secret import ClientSecrets, IssuedSecret
from enrol.registration.record import ClientRecord

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BASIC = ClientMetadata(token_endpoint_auth_method="client_secret_basic")
RECORD = ClientRecord(
    client_id=ClientId("c1"),
    organization_identifier=OrganizationIdentifier("PSDFR-ACPR-12345"),
    metadata=BASIC,
    keys=(),
    issued_at=AT,
    updated_at=AT,
    version=1,
)


def secrets(
    after: timedelta = timedelta(0), lifetime: timedelta | None = DAY, key: bytes = bytes(32)
) -> ClientSecrets:
    return ClientSecrets(key, lambda: AT + after, lifetime)


def issued(after: timedelta = timedelta(0), lifetime: timedelta | None = DAY) -> IssuedSecret:
    given = secrets(after, lifetime).issue(RECORD)
    assert given is not None
    return given


@pytest.mark.parametrize("method", [None, "none", *METHODS])
def test_secret_issued_to_methods_that_use_one(method: str | None) -> None:
    record = replace(RECORD, metadata=ClientMetadata(token_endpoint_auth_method=method))
    given = secrets().issue(record)
    assert (given is not None) == (method == "client_secret_basic")
    assert secrets().accepts(record, issued().text) == (method == "client_secret_basic")


def test_client_secret_without_client_secret_expires_at() -> None:
    assert issued(lifetime=None).expires_at == 0
    assert issued().expires_at == int((AT + DAY).timestamp())
    assert isinstance(issued().expires_at, int)


@pytest.mark.parametrize("days", [0, 1, 400])
def test_a_secret_without_a_lifetime_stays(days: int) -> None:
    assert issued(timedelta(days), None) == issued(lifetime=None)


@given(st.integers(0, 10**8))
def test_a_secret_holds_to_the_end_that_was_told_and_half_a_lifetime_at_least(
    seconds: int,
) -> None:
    now = timedelta(seconds=seconds)
    given = issued(now)
    end = datetime.fromtimestamp(given.expires_at, UTC) - AT
    assert now + DAY / 2 < end <= now + DAY
    for moment in (now, end - timedelta(microseconds=1)):
        assert secrets(moment).accepts(RECORD, given.text)
    assert not secrets(end).accepts(RECORD, given.text)


def test_expired_secret_with_no_way_back() -> None:
    old = issued().text
    with pytest.raises(GrantError, match="client_secret_expired"):
        secrets(DAY).check(RECORD, old)
    secrets(DAY).check(RECORD, issued(DAY).text)


@pytest.mark.parametrize("text", ["", "x", "é", issued().text + "x", issued().text[:-1]])
def test_another_text_is_no_secret(text: str) -> None:
    with pytest.raises(GrantError, match="client_secret_wrong"):
        secrets().check(RECORD, text)


def test_a_secret_is_of_one_client_and_one_server() -> None:
    other = replace(RECORD, client_id=ClientId("c2"))
    assert not secrets().accepts(other, issued().text)
    assert not secrets(key=b"x" * 32).accepts(RECORD, issued().text)


def test_a_secret_is_in_no_representation() -> None:
    assert issued().text not in repr(issued())
    assert repr(bytes(32)) not in repr(secrets())
