"""A certificate that is refused is named: the QWAC of the connection or the QSealC that signs."""

from collections.abc import Callable

import pytest

from live.desk import Desk
from live.party import Pair, Party

NewPair = Callable[..., Pair]
FAULTS = ("expired", "revoked", "no-psd2-statement")


def party_with(desk: Desk, qwac: Pair, qsealc: Pair) -> Party:
    return Party(desk.port, desk.folder / "server-ca.pem", "PSDFR-ACPR-12345", qwac, qsealc)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_refused_qwac_is_named_at_the_token_endpoint(
    desk: Desk, acme: Party, new_pair: NewPair, fault: str
) -> None:
    party = party_with(desk, new_pair("qwac", faults=(fault,)), acme.qsealc)
    reply = party.send(party.token_draft())
    assert (reply.status, reply.json["certificate"]) == (401, "qwac")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_refused_qsealc_is_named(desk: Desk, acme: Party, new_pair: NewPair, fault: str) -> None:
    party = party_with(desk, acme.qwac, new_pair("qsealc", faults=(fault,)))
    reply = party.register()
    assert (reply.status, reply.json["certificate"]) == (401, "qsealc")
    party.close()


def test_a_refusal_of_something_else_names_none(acme: Party) -> None:
    acme.register()
    reply = acme.get("unknown")
    assert reply.status == 403
    assert "certificate" not in reply.json
