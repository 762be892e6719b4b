"""Certificates are renewed one by one or both at once; the organisation stays the same client."""

from collections.abc import Callable, Iterator

import pytest

from live.desk import Desk
from live.party import Pair, Party, issue

NewPair = Callable[..., Pair]
Renewed = Callable[..., Party]
ORGANIZATION = "PSDFR-ACPR-33333"
"""It has no clients but those of this module, so that a key that is dropped is known no more."""


@pytest.fixture
def acme(desk: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    """The TPP that renews its certificates."""
    party = party_of(desk, ORGANIZATION)
    yield party
    party.close()


@pytest.fixture
def new_pair(desk: Desk) -> NewPair:
    """Issue another certificate of that TPP."""

    def make(kind: str, **options: object) -> Pair:
        return issue(desk.folder, kind, ORGANIZATION, **options)  # type: ignore[arg-type]  # those of issue

    return make


@pytest.fixture
def client_id(desk: Desk, acme: Party) -> str:
    """A client registered with the certificates that are renewed afterwards, and no other."""
    for registered in desk.rows(
        "SELECT client_id FROM clients WHERE organization_identifier = ?", ORGANIZATION
    ):
        acme.delete(*registered)
    return str(acme.register().json["client_id"])


@pytest.fixture
def renewed(desk: Desk, acme: Party) -> Iterator[Renewed]:
    """The same TPP with other certificates: its own where none is given."""
    made: list[Party] = []

    def make(*, qwac: Pair | None = None, qsealc: Pair | None = None) -> Party:
        ca = desk.folder / "server-ca.pem"
        pairs = qwac or acme.qwac, qsealc or acme.qsealc
        made.append(Party(desk.port, ca, acme.organization, *pairs))
        return made[-1]

    yield make
    for party in made:
        party.close()


def keys_of(*parties: Party) -> dict[str, object]:
    """Metadata with the keys of several parties side by side."""
    keys = [key for party in parties for key in party.metadata()["jwks"]["keys"]]
    return parties[0].metadata(jwks={"keys": keys})


def update(party: Party, client_id: str, metadata: dict[str, object], **signing: object) -> int:
    draft = party.draft("PUT", client_id, metadata | {"client_id": client_id})
    return party.send(party.signed(draft, **signing)).status  # type: ignore[arg-type]  # those of signed


def test_a_new_seal_stands_beside_the_old_one_until_that_is_dropped(
    acme: Party, client_id: str, new_pair: NewPair, renewed: Renewed
) -> None:
    successor = renewed(qsealc=new_pair("qsealc", name="beside"))
    assert update(acme, client_id, keys_of(acme, successor)) == 200
    assert acme.get(client_id).status == successor.get(client_id).status == 200
    assert update(successor, client_id, keys_of(successor)) == 200
    dropped = acme.get(client_id)
    assert (dropped.status, dropped.code) == (401, "KEY-2")
    assert successor.get(client_id).status == 200


def test_a_new_qwac_is_believed_with_the_registered_seal(
    client_id: str, new_pair: NewPair, renewed: Renewed
) -> None:
    party = renewed(qwac=new_pair("qwac", name="renewed-qwac"))
    assert party.get(client_id).status == 200
    assert update(party, client_id, keys_of(party)) == 200


def test_a_new_seal_is_believed_with_the_same_qwac(
    client_id: str, new_pair: NewPair, renewed: Renewed
) -> None:
    party = renewed(qsealc=new_pair("qsealc", name="renewed-seal"))
    assert update(party, client_id, keys_of(party)) == 200
    assert party.get(client_id).status == 200


def test_both_new_at_once_are_believed_since_they_name_the_organisation(
    client_id: str, new_pair: NewPair, renewed: Renewed
) -> None:
    party = renewed(qwac=new_pair("qwac", name="both"), qsealc=new_pair("qsealc", name="both-seal"))
    assert update(party, client_id, keys_of(party)) == 200
    assert party.get(client_id).status == 200


@pytest.mark.parametrize("signed_with", ["the old", "the new"])
def test_a_renewed_seal_may_keep_its_kid(
    acme: Party, client_id: str, new_pair: NewPair, renewed: Renewed, signed_with: str
) -> None:
    successor = renewed(qsealc=new_pair("qsealc", name=f"same-kid-{signed_with[4:]}"))
    successor.kid = acme.kid
    signer = acme.qsealc if signed_with == "the old" else successor.qsealc
    assert update(successor, client_id, keys_of(successor), pair=signer) == 200
    assert successor.get(client_id).status == 200
    assert acme.get(client_id).status == 401


def test_a_stranger_cannot_renew_with_a_key_of_its_own(
    rival: Party, client_id: str, renewed: Renewed
) -> None:
    assert update(rival, client_id, keys_of(rival)) == 403
    both = renewed(qwac=rival.qwac)
    both.use_token(rival.token)
    assert update(both, client_id, keys_of(both)) == 401


@pytest.mark.parametrize("fault", ["expired", "revoked", "other-organization", "wrong-qctype"])
def test_a_seal_that_is_not_qualified_renews_nothing(
    acme: Party, client_id: str, new_pair: NewPair, renewed: Renewed, fault: str
) -> None:
    party = renewed(qsealc=new_pair("qsealc", faults=[fault], name=f"no-{fault}"))
    assert update(party, client_id, keys_of(party)) in (400, 401)
    assert update(acme, client_id, keys_of(acme, party)) in (400, 401)
    assert acme.get(client_id).status == 200
