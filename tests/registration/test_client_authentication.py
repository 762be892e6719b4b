"""An assertion is used once, and remembered no longer than it holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrol.errors import GrantError, UnavailableError
from enrol.oauth.client_authentication import Assertion
from enrol.oauth.types import ClientId
from enrol.registration.client_authentication import UsedAssertions

AT = datetime(2026, 11, 24, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE, TWO = ClientId("c1"), ClientId("c2")


def assertion(jti: str, end: datetime = AT + MINUTE) -> Assertion:
    key: Any = None
    return Assertion(jti, end, key)


def test_an_assertion_is_used_once_by_each_client() -> None:
    used = UsedAssertions()
    used.use(ONE, assertion("a"), at=AT)
    used.use(ONE, assertion("b"), at=AT)
    used.use(TWO, assertion("a"), at=AT)
    with pytest.raises(GrantError, match="assertion_used"):
        used.use(ONE, assertion("a"), at=AT + MINUTE / 2)


def test_an_id_is_free_again_when_its_assertion_is_over() -> None:
    used = UsedAssertions()
    used.use(ONE, assertion("a"), at=AT)
    used.use(ONE, assertion("a", AT + 2 * MINUTE), at=AT + MINUTE)


def test_what_cannot_be_remembered_is_not_believed() -> None:
    used = UsedAssertions(most=2)
    for jti in ("a", "b"):
        used.use(ONE, assertion(jti), at=AT)
    with pytest.raises(UnavailableError, match="overloaded"):
        used.use(ONE, assertion("c"), at=AT)
    used.use(ONE, assertion("d", AT + 2 * MINUTE), at=AT + MINUTE)
