"""The list of a caller's clients on the wire: what may be asked, and a page of the answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from enrol.errors import MalformedRequestError
from enrol.oauth.types import ClientId
from enrol.registration.agents import is_agent
from enrol.registration.record import ClientRecord
from enrol.registration.shown_state import shown_state
from enrol.server.call import Call, is_client_id

MOST: Final = 100
FIRST: Final = ClientId("")
_USUAL: Final = 20
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """How many clients are wanted, from the first one after a client_id."""

    limit: int = _USUAL
    after: ClientId = FIRST


class ListedClient(msgspec.Struct, frozen=True, omit_defaults=True):
    """One client of a list; the whole registration is at `registration_client_uri`.

    `agent_of` is whose agent the client is, where it is one's: the organisation that asks.
    """

    client_id: str
    client_id_issued_at: int
    registration_client_uri: str
    client_name: str | None = None
    client_legal_id: str | None = None
    agent_of: str | None = None
    software_id: str | None = None
    scope: str | None = None
    client_state: str | None = None
    client_state_reason: str | None = None
    client_active_from: int | None = None


class ClientList(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of clients by client_id; `next` is the URI of the next page, if there is one."""

    clients: tuple[ListedClient, ...]
    next: str | None = None


def read_query(call: Call) -> PageQuery:
    """Return what the query of a call asks for.

    Raises `MalformedRequestError` ``list_query``.
    """
    text = bytes(call.scope["query_string"]).decode("latin-1")
    pairs = [part.partition("=")[::2] for part in text.split("&")] if text else []
    given = dict(pairs)
    limit, after = given.pop("limit", str(_USUAL)), given.pop("after", None)
    if (
        given
        or len(dict(pairs)) != len(pairs)
        or not _LIMIT.fullmatch(limit)
        or int(limit) > MOST
        or (after is not None and not is_client_id(after))
    ):
        raise MalformedRequestError("list_query")
    return PageQuery(int(limit), FIRST if after is None else ClientId(after))


def page_of(
    found: Sequence[ClientRecord], query: PageQuery, *, register_uri: str, at: datetime
) -> ClientList:
    """Return a page of what was found, of which one more than wanted shows that there is a next."""
    shown = found[: query.limit]
    following = None
    if len(found) > query.limit:
        following = f"{register_uri}?limit={query.limit}&after={shown[-1].client_id}"
    return ClientList(tuple([_listed(record, register_uri, at) for record in shown]), following)


def _listed(record: ClientRecord, register_uri: str, at: datetime) -> ListedClient:
    metadata = record.metadata
    return ListedClient(
        client_id=record.client_id,
        client_id_issued_at=int(record.issued_at.timestamp()),
        registration_client_uri=f"{register_uri}/{record.client_id}",
        client_name=metadata.client_name,
        client_legal_id=metadata.client_legal_id,
        agent_of=record.organization_identifier if is_agent(record) else None,
        software_id=metadata.software_id,
        scope=metadata.scope,
        **shown_state(record.standing, at=at),
    )
