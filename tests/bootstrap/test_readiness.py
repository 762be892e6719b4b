"""Why a server may not be given requests."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from eidas.minting import mint_authority, mint_crl
from enrol.adapters.trust import FileRevocationSource
from enrol.adapters.trustlists.source import NoTrustSource
from enrol.bootstrap.readiness import (
    check_of_drain,
    check_of_revocation,
    check_of_storage,
    check_of_trust,
    checks_of_register,
)
from enrol.eidas.trust import Listing, TrustAnchors
from enrol.registration.entitlement import RegisterMode
from enrol.server.drain import Drain
from enrol.settings.sections import RegisterSection, RevocationSection

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def clock() -> datetime:
    return AT


def settings(tmp_path=None, **sections):
    return SimpleNamespace(register_path=tmp_path and tmp_path / "register.db", **sections)


def test_a_server_that_drains_takes_nothing():
    drain = Drain()
    check = check_of_drain(drain)
    assert check().ok
    drain.begin()
    assert not check().ok
    assert "shutting down" in check().why


@pytest.mark.parametrize("healthy", [True, False])
def test_storage_is_as_healthy_as_it_says(healthy):
    assert check_of_storage(SimpleNamespace(healthy=lambda: healthy))().ok is healthy


@pytest.mark.parametrize(
    ("trust", "ok"),
    [
        (NoTrustSource(), False),
        (SimpleNamespace(anchors=lambda: TrustAnchors(listing=Listing(AT, {}))), True),
        (
            SimpleNamespace(
                anchors=lambda: TrustAnchors(listing=Listing(AT - timedelta(seconds=1), {}))
            ),
            False,
        ),
    ],
    ids=["none", "current", "ended"],
)
def test_trust_must_be_there_and_current(trust, ok):
    assert check_of_trust(trust, clock)().ok is ok


@pytest.mark.parametrize(
    ("section", "ended", "ok", "word"),
    [
        (RevocationSection(), True, True, "online"),
        (RevocationSection(mode="warn", online=False), True, True, "unchecked"),
        (RevocationSection(online=False), False, True, "current"),
        (RevocationSection(online=False), True, False, "no revocation list"),
    ],
    ids=["online", "not required", "a list at hand", "none"],
)
def test_something_must_be_known_of_revocations(tmp_path, section, ended, ok, word):
    path = tmp_path / "ca.crl"
    path.write_bytes(mint_crl(mint_authority("Ready QTSP"), 1))
    lists = FileRevocationSource((path,))
    at = AT + timedelta(days=9999 if ended else 0)
    found = check_of_revocation(settings(revocation=section), lists, lambda: at)()
    assert found.ok is ok
    assert word in found.why


def test_the_register_of_institutions_counts_where_it_is_enforced(tmp_path):
    asked = {
        mode: checks_of_register(settings(tmp_path, register=RegisterSection(mode=mode)), clock)
        for mode in RegisterMode
    }
    assert (asked[RegisterMode.OFF], asked[RegisterMode.WARN]) == ({}, {})
    (check,) = asked[RegisterMode.ENFORCE].values()
    assert not check().ok
    assert "enrol register refresh" in check().why
