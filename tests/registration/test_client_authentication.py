"""An assertion is remembered by its client and id."""

from datetime import UTC, datetime, timedelta
from typing import Any

from enrol.oauth.client_authentication import Assertion
from enrol.oauth.types import ClientId
from enrol.registration.client_authentication import use_of

END = datetime(2026, 11, 24, tzinfo=UTC)


def name(client_id: str, jti: str, end: datetime = END) -> bytes:
    key: Any = None
    use = use_of(ClientId(client_id), Assertion(jti, end, key))
    assert use.expires_at == end
    return use.name


def test_an_id_names_one_assertion_of_one_client() -> None:
    assert name("c1", "a") == name("c1", "a", END + timedelta(minutes=1))
    names = {name("c1", "a"), name("c1", "b"), name("c2", "a"), name("c", "1a"), name("c1a", "é")}
    assert len(names) == 5
    assert {len(each) for each in names} == {32}
