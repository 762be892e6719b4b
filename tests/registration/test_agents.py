"""Agents have no more than their TPP, are numbered by its authority, and stay who they are."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects import STET, changed, document
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ClientMetadataError
from enrol.oauth.metadata import ClientMetadata, parse_client_metadata
from enrol.oauth.types import ClientId
from enrol.registration.agents import find_fault, is_of_authority
from enrol.registration.client_id import new_client_id
from enrol.registration.dialect import Dialect
from enrol.registration.policy import Applicant, decide
from enrol.registration.record import ClientRecord
from enrol.registration.states import Standing, State

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACME = OrganizationIdentifier("PSDFR-ACPR-12345")
AGENT = "AGTFR-ACPR-12345001"


def client(name: str, scope: str, *, agent: str | None = None, **others: Any) -> ClientRecord:
    return ClientRecord(
        client_id=ClientId(name),
        organization_identifier=ACME,
        metadata=ClientMetadata(scope=scope, client_legal_id=agent),
        keys=(),
        issued_at=NOW,
        updated_at=NOW,
        version=1,
        **others,
    )


def standing(state: State, **others: Any) -> Standing:
    return Standing(state, "awaiting_effect", NOW, **others)


def test_an_agent_has_at_most_what_its_tpps_clients_have_together() -> None:
    own = [client("a", "aisp"), client("b", "pisp")]
    assert find_fault(client("x", "aisp pisp", agent=AGENT), own, at=NOW) is None
    assert find_fault(client("x", "cbpii", agent=AGENT), own, at=NOW) == "agent_scope"


def test_an_agent_needs_an_own_client_of_its_tpp() -> None:
    others = [client("y", "aisp", agent="AGTFR-ACPR-2")]
    assert find_fault(client("x", "aisp", agent=AGENT), others, at=NOW) == "agent_without_client"


@pytest.mark.parametrize("state", [State.PENDING, State.SUSPENDED, State.REJECTED])
def test_a_client_that_is_not_active_gives_nothing_to_agents(state: State) -> None:
    own = [client("a", "aisp", standing=standing(state))]
    assert find_fault(client("x", "aisp", agent=AGENT), own, at=NOW) == "agent_without_client"


def test_a_client_gives_to_agents_from_the_time_it_counts() -> None:
    later = NOW + timedelta(hours=2)
    own = [client("a", "aisp", standing=standing(State.PENDING, effective_at=later))]
    agent = client("x", "aisp", agent=AGENT)
    assert find_fault(agent, own, at=NOW) == "agent_without_client"
    assert find_fault(agent, own, at=later) is None


def test_an_own_client_is_not_narrowed_below_its_agents() -> None:
    agents = [client("x", "aisp", agent=AGENT)]
    assert find_fault(client("a", "aisp"), agents, at=NOW) is None
    assert find_fault(client("a", "pisp"), agents, at=NOW) == "agents_depend"


def test_the_last_own_client_does_not_go_before_its_agents() -> None:
    agents = [client("x", "aisp", agent=AGENT)]
    assert find_fault(None, agents, at=NOW) == "agents_depend"
    assert find_fault(None, [*agents, client("b", "aisp pisp")], at=NOW) is None
    assert find_fault(None, [], at=NOW) is None


_scopes = st.sets(st.sampled_from(["aisp", "pisp", "cbpii"])).map(" ".join)


@given(st.lists(st.tuples(_scopes, st.booleans()), max_size=6), _scopes, st.booleans())
def test_what_is_granted_leaves_no_agent_with_more_than_its_tpp(
    family: list[tuple[str, bool]], scope: str, is_agent: bool
) -> None:
    """From a family that is in order, every change that finds no fault leads to another such."""

    def is_in_order(clients: list[ClientRecord]) -> bool:
        own = {s for c in clients if not c.metadata.client_legal_id for s in _of(c)}
        return all(_of(c) <= own for c in clients)

    others = [
        client(f"c{n}", text, agent=AGENT if agent else None)
        for n, (text, agent) in enumerate(family)
    ]
    changed_client = client("new", scope, agent=AGENT if is_agent else None)
    if is_in_order(others) and find_fault(changed_client, others, at=NOW) is None:
        assert is_in_order([*others, changed_client])
    if find_fault(None, others, at=NOW) is None:
        assert is_in_order(others)


def _of(record: ClientRecord) -> set[str]:
    return set((record.metadata.scope or "").split())


@pytest.mark.parametrize(
    ("agent", "organization", "is_its"),
    [
        (AGENT, "PSDFR-ACPR-12345", True),
        ("AGTFR-ACPR-9", "PSDFR-ACPR-12345", True),
        ("AGTDE-ACPR-9", "PSDFR-ACPR-12345", False),
        ("AGTFR-ACP-9", "PSDFR-ACPR-12345", False),
        ("AGTFR-ACPRX-9", "PSDFR-ACPR-12345", False),
        ("AGTDE-BAFIN-9", "PSDFR-ACPR-12345", False),
        ("AGTDE-BAFIN-9", "VATFR-123456789", True),
    ],
)
def test_an_agent_is_numbered_by_the_authority_of_its_tpp(
    agent: str, organization: str, is_its: bool
) -> None:
    assert is_of_authority(agent, OrganizationIdentifier(organization)) is is_its


def findings(
    *,
    dialect: Dialect = STET,
    registered_as: str | None = None,
    update: bool = False,
    **members: Any,
) -> set[tuple[str, str | None]]:
    sent = document(**members, **({"client_id": "a"} if update else {}))
    applicant = Applicant(
        ACME,
        frozenset({PspRole.PSP_AI, PspRole.PSP_PI}),
        client_id=ClientId("a") if update else None,
        client_legal_id=registered_as,
    )
    try:
        decide(sent, parse_client_metadata(sent), applicant=applicant, dialect=dialect)
    except ClientMetadataError as refusal:
        return {(finding.code, finding.member) for finding in refusal.findings}
    return set()


def test_an_agent_of_another_authority_is_refused_unless_the_dialect_takes_it() -> None:
    refused = {("client_legal_id_authority", "client_legal_id")}
    assert findings(client_legal_id="AGTDE-BAFIN-9") == refused
    anywhere = changed("stet", ("[reading]", '[agents]\nauthority = "any"\n\n[reading]'))
    assert findings(client_legal_id="AGTDE-BAFIN-9", dialect=anywhere) == set()


@pytest.mark.parametrize(
    ("before", "after"),
    [(AGENT, "AGTFR-ACPR-2"), (AGENT, None), (None, AGENT)],
    ids=["another agent", "the TPP's own", "an agent"],
)
def test_an_update_does_not_change_whose_client_it_is(
    before: str | None, after: str | None
) -> None:
    found = findings(update=True, registered_as=before, client_legal_id=after)
    assert found == {("client_legal_id_differs", "client_legal_id")}
    assert findings(update=True, registered_as=before, client_legal_id=before) == set()


@given(
    st.sampled_from(["{ordered}", "{legal_id}-{random}", "1{legal_id}-0-{random}", "{uuid}"]),
    st.from_regex(r"AGT[A-Z]{2}-[A-Z]{2,8}-[!-~]{1,60}", fullmatch=True),
    st.from_regex(r"PSD[A-Z]{2}-[A-Z]{2,8}-[!-~]{1,60}", fullmatch=True),
    st.binary(min_size=20, max_size=20),
    st.binary(min_size=20, max_size=20),
)
def test_ids_of_agents_and_of_tpps_neither_meet_nor_tell_of_each_other(
    form: str, agent: str, organization: str, one: bytes, two: bytes
) -> None:
    """Alike they can only be where 80 random bits are, whatever stands in the legal ids."""

    def made(legal_id: str, random: bytes) -> str:
        return new_client_id(form, legal_id=legal_id, at=NOW, random=lambda size: random[:size])

    ids = {made(agent, one), made(organization, one), made(agent, two), made(organization, two)}
    if "legal_id" in form:
        assert made(agent, one) != made(organization, one)
    if one[:10] != two[:10]:
        assert made(agent, one) != made(agent, two)
        assert len(ids) == (4 if "legal_id" in form else 2)
